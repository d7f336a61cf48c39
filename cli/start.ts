/** The `kvm-manager` command as it is packed: what a verb does not need is not loaded for it. */
import { main } from "./main.ts";
import { keepErrorsQuiet, withOutput } from "./output_failure.ts";

keepErrorsQuiet();
Deno.exitCode = await withOutput(() =>
  main(Deno.args, async () => {
    await import("../fresh.gen.ts");
    return (await import("../main.ts")).app.handler();
  })
);
