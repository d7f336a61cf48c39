/** A VM that QEMU paused because its storage was full is not said to go on while it does not. */
import assert from "node:assert/strict";
import { testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null || Deno.uid() !== 0;

Deno.test({
  name: "resume_vm fails while the disk is full, and works once there is room",
  ignore,
  fn: async () => {
    await using undo = new AsyncDisposableStack();
    const pool = undo.use(await testPool("resume-full"));
    await run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=755", "tmpfs", pool.path]);
    undo.defer(async () => void await run(["umount", "-l", pool.path]));
    const vm = undo.use(
      await testMachine({
        purpose: "resume-full",
        start: true,
        disks: [{ pool, format: "qcow2", size: "64M" }],
      }),
    );
    const server = undo.use(await readyServer());
    await known(server, vm.uuid);
    await vm.waitForAgent();
    const writes = "dd if=/dev/urandom of=/dev/vda bs=1M count=32 conv=fsync";
    await vm.agent("guest-exec", { path: "/bin/sh", arg: ["-c", writes], env: ["PATH=/bin:/sbin"] });
    const isPaused = ({ state, stateReason }: { state: string; stateReason?: string }) =>
      state === "paused" && stateReason === "I/O error";
    await shows(server, vm.uuid, isPaused);
    await refused(call(server, "resume_vm", { vmId: vm.uuid }), "ResumeFailed", /failed again.*Make room/);
    await shows(server, vm.uuid, isPaused);
    await run(["mount", "-o", "remount,size=80m", pool.path]);
    await call(server, "resume_vm", { vmId: vm.uuid });
    await shows(server, vm.uuid, ({ state }) => state === "running");
    assert.equal(await vm.state(), "running");
  },
});
