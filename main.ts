/** The app, as Fresh has it; started directly, the `kvm-manager` command. */
import { App, staticFiles } from "fresh";
import "./fresh.gen.ts";
import type { PageState } from "./lib/page_state.ts";
import { log } from "./agent/log.ts";

export const app = new App<PageState>({
  onError: (error) =>
    log.error("a page failed", { error, stack: error instanceof Error ? error.stack : undefined }),
});
app.use(staticFiles());
app.fsRoutes();

if (import.meta.main) {
  const { main } = await import("./cli/main.ts");
  Deno.exitCode = await main(Deno.args, app.handler());
}
