import assert from "node:assert/strict";
import { ensureLibvirtd, URI, virsh } from "./libvirt.ts";
import { exists } from "./process.ts";
import { ProcessError, run } from "./process.ts";
import { requirement } from "./skip.ts";
import { VirshShell } from "./virsh_shell.ts";
import { until } from "./wait.ts";

const reason = await requirement("qemu");
const test = (name: string, fn: () => Promise<void>) => Deno.test({ name, ignore: reason !== null, fn });
const ODD = ["a  b", "it's", 'q"x\\', ";", "$HOME", "", "#", "é\n\t!", "x".repeat(5000)];

test("virsh() gives what one virsh for each command gives", async () => {
  for (
    // Nothing that other tests change meanwhile
    const args of [["capabilities"], ["help", "list"], ["echo", "--xml", ...ODD], ["nodeinfo"]]
  ) {
    assert.equal(await virsh(...args), (await run(["virsh", "-q", "-c", URI, ...args])).trim());
  }
});

test("virsh() fails as it does, and goes on", async () => {
  for (const args of [["domstate", "no such"], ["nonsense"], ["list", "--nonsense"], ["dumpxml"]]) {
    const told = await run(["virsh", "-q", "-c", URI, ...args]).catch((error) => error);
    const failed = await virsh(...args).catch((error) => error);
    assert.ok(failed instanceof ProcessError && told instanceof ProcessError, args.join(" "));
    assert.deepEqual([failed.stderr, failed.status], [told.stderr, told.status]);
    assert.equal(await virsh("echo", "on"), "on");
  }
});

test("virsh() runs commands in parallel", async () => {
  const numbers = Array.from({ length: 8 }, (_, index) => String(index));
  assert.deepEqual(await Promise.all(numbers.map((each) => virsh("echo", each))), numbers);
});

test("a virsh that has ended takes nothing more", async () => {
  await ensureLibvirtd();
  const quitting = VirshShell.begin(URI)!;
  await assert.rejects(quitting.take(["quit"]), /virsh has ended/);
  assert.equal(quitting.canTake(["list"]), false);

  const killed = VirshShell.begin(URI)!;
  const { stdout } = (await killed.take(["echo", "here"]))!;
  assert.equal(stdout, "here");
  Deno.kill(killed.pid, "SIGKILL");
  // Not when it is a zombie: another of its threads may have its pipes open for a moment longer.
  await until("it to be gone", async () => !await exists(`/proc/${killed.pid}`));
  assert.equal(await killed.take(["list"]), null);
  assert.equal(killed.canTake(["list"]), false);
});
