/** The hosts that parts of the bench run on. */
import assert from "node:assert/strict";
import { world } from "../bench/world.ts";
import { virsh } from "../testbed/libvirt.ts";
import { claims, filesOf } from "../testbed/names.ts";
import { commandOf } from "../testbed/pid.ts";
import { exists, run } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const reason = await requirement("qemu");

Deno.test({
  name: "a part of the bench has a libvirtd, a network and files of its own, and leaves nothing behind",
  ignore: reason !== null || Deno.uid() !== 0,
  fn: async () => {
    const seconds = 1000 + Math.floor(Math.random() * 1_000_000);
    let sleeper: number, name: string;
    {
      await using host = await world(3);
      const inside = (...argv: string[]) => run(host.argv(...argv), { env: host.env });
      const list = await inside("virsh", "--quiet", "--connect", "qemu:///system", "list", "--all", "--name");
      assert.deepEqual(list.trim().split("\n").toSorted(), host.machines);
      assert.equal(host.machines.length, 3);
      const outside = await virsh("list", "--all", "--name");
      assert.ok(host.machines.every((machine) => !outside.includes(machine)));
      assert.match(await inside("ip", "-brief", "link"), /^lo\s.*\n$/);
      assert.match(await inside("mktemp", "-d"), /^\/srv\/tmp\//);

      // A process that nothing but the end of the host ends
      await inside("sh", "-c", `setsid sleep ${seconds} </dev/null >/dev/null 2>&1 &`);
      sleeper = await until("the process", () => pidOf(`sleep\0${seconds}\0`));
      name = host.machines[0]!.split("-many-")[0]!;
      assert.ok((await claims()).live.includes(name));
    }
    assert.equal(await commandOf(sleeper), null);
    assert.equal(await exists(filesOf(name)), false);
    assert.equal((await claims()).live.includes(name), false);
  },
});

/** The process with these arguments, as we see it, or null. */
async function pidOf(cmdline: string): Promise<number | null> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const found = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => ""); // it has ended
    if (found === cmdline) return Number(name);
  }
  return null;
}
