/**
 * Tests of the test bed with hanging or very many objects: on a libvirtd of this file's own, apart from other tests.
 */
import assert from "node:assert/strict";
import { freeze, thaw, URI, virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { manyMachines } from "../testbed/many_machines.ts";
import { claims, filesOf } from "../testbed/names.ts";
import { testNetwork } from "../testbed/network.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null || await ownLibvirtd("testbed") !== null;
const test = (name: string, fn: () => Promise<void>) => Deno.test({ name, ignore, fn });

/** The names libvirt knows now. */
async function names(...command: string[]): Promise<string[]> {
  return (await virsh(...command, "--name")).split("\n").map((line) => line.trim()).filter(Boolean);
}

test("ownLibvirtd() has the things of its file alone", async () => {
  await using vm = await testMachine({ guest: false });
  assert.deepEqual(await names("list", "--all"), [vm.name]);
  assert.deepEqual(await names("net-list", "--all"), []);
  const machines = await run(["virsh", "--quiet", "--connect", "qemu:///system", "list", "--all", "--name"]);
  assert.equal(machines.includes(vm.name), false);
});

test("testMachine() leaves nothing behind, whatever was done to it", async () => {
  const made: string[] = [];
  {
    await using network = await testNetwork();
    await using pool = await testPool();
    await using saved = await testMachine({ network, start: true, disks: [{}] });
    await using snapped = await testMachine({ start: true, guest: false, disks: [{ pool }] });
    await using frozen = await testMachine({ start: true, guest: false });
    await using deleted = await testMachine({ guest: false });
    made.push(network.name, pool.name, ...[saved, snapped, frozen, deleted].map(({ name }) => name));
    await saved.waitForBoot();
    await virsh("managedsave", saved.name);
    await virsh("snapshot-create-as", snapped.name, "one");
    await freeze(await frozen.qemuPid() ?? assert.fail("no QEMU"));
    await virsh("undefine", deleted.name);
  }
  const left = [
    ...await names("list", "--all"),
    ...await names("net-list", "--all"),
    ...await names("pool-list", "--all"),
    ...(await claims()).live,
  ];
  for (const name of made) {
    assert.equal(left.includes(name), false, name);
    assert.equal(await exists(filesOf(name)), false, name);
  }
});

test("freeze() makes QEMU hang until thaw()", async () => {
  await using vm = await testMachine({ start: true, guest: false });
  const pid = await vm.qemuPid() ?? assert.fail("no QEMU");
  await freeze(pid);
  // `timeout` ends with 124 when its command hangs.
  const ask = run(["timeout", "1", "virsh", "-c", URI, "dommemstat", vm.name]);
  await assert.rejects(ask, { status: 124 });
  await thaw(pid);
  await until("QEMU to answer", async () => await virsh("dommemstat", vm.name) !== "");
});

test("manyMachines() defines and removes 1,000 machines in a few seconds each", async () => {
  const begin = performance.now();
  let defined: number;
  let prefix: string;
  {
    await using many = await manyMachines(1000);
    defined = performance.now();
    prefix = many.names[0]!.slice(0, -"00000".length);
    assert.equal((await names("list", "--all")).filter((name) => name.startsWith(prefix)).length, 1000);
  }
  assert.equal((await names("list", "--all")).filter((name) => name.startsWith(prefix)).length, 0);
  // One by one it would be minutes
  assert.ok(defined - begin < 60_000 && performance.now() - defined < 60_000);
});
