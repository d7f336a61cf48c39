import assert from "node:assert/strict";
import { type Boot, troubleOf } from "./kvm_probe.ts";

const boot = (took: number, trouble: string | null = null): Boot => ({ took, trouble });
const never = () => assert.fail("emulation was tried");

Deno.test("troubleOf() takes a guest that booted soon, and one that did not boot, as they are", async () => {
  assert.equal(await troubleOf(boot(100), never), null);
  assert.equal(await troubleOf(boot(4000, "it hangs"), never), "it hangs");
});

Deno.test("troubleOf() tells a KVM that is slower than emulation from a busy host", async () => {
  assert.match(
    await troubleOf(boot(3100), () => Promise.resolve(boot(100))) ?? "",
    /hang, or are slower than emulated ones/,
  );
  assert.equal(await troubleOf(boot(3100), () => Promise.resolve(boot(2000))), null);
  assert.equal(await troubleOf(boot(3100), () => Promise.resolve(boot(4000, "it hangs"))), null);
});

Deno.test("startTied() starts what ends with this process, also when that is killed", async () => {
  const script = `import { startTied } from ${JSON.stringify(new URL("kvm_probe.ts", import.meta.url).href)};
    console.log(startTied("sleep", ["60"]).pid);
    await new Promise(() => setInterval(() => {}, 1000));`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", "--ext=ts", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(script));
  await writer.close();
  const reader = child.stdout.getReader();
  const pid = Number(new TextDecoder().decode((await reader.read()).value));
  const isThere = async () => {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
    return stat !== "" && !/\) [ZX] /.test(stat);
  };
  assert.equal(await isThere(), true);
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();
  const end = performance.now() + 10_000;
  while (await isThere() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(await isThere(), false);
});
