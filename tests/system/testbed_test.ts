/** The test bed proves itself on the real thing: every other system test builds on what is shown here. */
import assert from "node:assert/strict";
import { sweep } from "../testbed/clean.ts";
import { freeze, thaw, virsh, virshUnless } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { manyMachines } from "../testbed/many_machines.ts";
import { claims, filesOf, PREFIX } from "../testbed/names.ts";
import { testNetwork } from "../testbed/network.ts";
import { ensurePackages } from "../testbed/packages.ts";
import { testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;
const test = (name: string, fn: () => Promise<void>) => Deno.test({ name, ignore, fn });

/** The names libvirt knows now. */
async function names(...command: string[]): Promise<string[]> {
  return (await virsh(...command, "--name")).split("\n").map((line) => line.trim()).filter(Boolean);
}

test("testMachine() boots to an agent and a lease", async () => {
  await using network = await testNetwork();
  await using vm = await testMachine({ network, start: true });
  await vm.waitForBoot();
  await vm.waitForAgent();
  assert.deepEqual(await vm.agent("guest-ping"), {});
  const address = await vm.waitForLease();
  assert.ok(address.startsWith(`${network.subnet}.`));
  assert.equal((await network.leases())[0]?.hostname, vm.name);
});

for (const mode of ["acpi", "agent"] as const) {
  test(`testMachine() shuts down when asked by ${mode}`, async () => {
    await using vm = await testMachine({ start: true });
    await vm.waitForAgent();
    await vm.waitForBoot();
    // A guest may be off before its agent has answered.
    await virshUnless(/End of file from agent socket/, "shutdown", vm.name, "--mode", mode);
    await vm.waitFor("shut off");
  });

  test(`testMachine() reboots when asked by ${mode}`, async () => {
    await using vm = await testMachine({ start: true });
    await vm.waitForAgent();
    await vm.waitForBoot();
    const pid = await vm.qemuPid();
    await virsh("reboot", vm.name, "--mode", mode);
    await vm.waitForBoot(2);
    await vm.waitForAgent();
    assert.equal(await vm.qemuPid(), pid);
  });
}

test("testMachine() reports balloon statistics", async () => {
  await using vm = await testMachine({ start: true });
  await vm.waitForBoot();
  const unused = await until("balloon statistics", async () => {
    return /^unused (\d+)$/m.exec(await virsh("dommemstat", vm.name))?.[1];
  });
  assert.ok(Number(unused) > 0 && Number(unused) < 256 * 1024);
});

test("testMachine() runs two guests side by side", async () => {
  await using network = await testNetwork();
  const machines = await Promise.all([1, 2].map(() => testMachine({ network, start: true })));
  await using both = new AsyncDisposableStack();
  for (const vm of machines) both.use(vm);
  const addresses = await Promise.all(machines.map((vm) => vm.waitForLease()));
  await Promise.all(machines.map((vm) => vm.waitForAgent()));
  assert.equal(new Set(addresses).size, 2);
});

test("testMachine() keeps texts as they are and has the graphics and disks it was given", async () => {
  const title = `<b onclick='x'>"&amp;` + "\u{1f427}";
  const description = "two\nlines & <script>alert(1)</script>";
  await using pool = await testPool();
  await using vm = await testMachine({
    title,
    description,
    start: true,
    guest: false,
    serial: "file",
    vnc: { password: "a'<b" },
    disks: [{}, { format: "raw", bus: "scsi" }, { pool }],
  });
  await ensurePackages("libxml2-utils");
  await run(["virt-xml-validate", `${filesOf(vm.name)}/domain.xml`, "domain"]);
  assert.equal(await virsh("desc", vm.name, "--title"), title);
  assert.equal(await virsh("desc", vm.name), description);
  assert.match(await virsh("vncdisplay", vm.name), /^127\.0\.0\.1:\d+$/);
  assert.match(await vm.xml("--security-info"), /passwd="a&apos;&lt;b"|passwd='a&apos;&lt;b'/);
  const targets = (await virsh("domblklist", vm.name)).split("\n").map((line) => line.trim().split(" ")[0]);
  assert.deepEqual(targets.sort(), ["sdb", "vda", "vdc"]);
  await using hidden = await testMachine({ start: true, guest: false, vnc: { socket: true } });
  assert.match(await virsh("domdisplay", hidden.name, "--type", "vnc"), /\.sock$/);
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
  const ask = run(["timeout", "1", "virsh", "-c", "qemu:///system", "dommemstat", vm.name]);
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
  assert.ok(defined - begin < 15_000 && performance.now() - defined < 15_000);
});

test("sweep() removes what a crashed run left, and nothing else", async () => {
  await using mine = await testMachine({ guest: false });
  const stranger = `stranger-${crypto.randomUUID().slice(0, 8)}`; // no test's name, so no sweep's business
  const definition = (await mine.xml()).replaceAll(mine.name, stranger).replace(/<uuid>.*<\/uuid>/, "");
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, definition);
  await virsh("define", file);
  await Deno.remove(file);
  try {
    const crashed = (await crashedRun()).split(" ");
    assert.equal(crashed.every((name) => name.startsWith(PREFIX)), true);
    const swept = await sweep();
    const domains = await names("list", "--all");
    for (const name of crashed) {
      assert.equal(Object.values(swept).flat().includes(name), true, `${name} was not swept`);
      assert.equal(await exists(filesOf(name)), false);
      assert.equal(domains.includes(name), false);
    }
    assert.equal(domains.includes(mine.name), true);
    assert.equal(domains.includes(stranger), true);
  } finally {
    await virsh("undefine", stranger);
  }
});

/** Another process that makes things and exits without cleaning up; gives their names. */
async function crashedRun(): Promise<string> {
  const here = (file: string) => JSON.stringify(new URL(`../testbed/${file}`, import.meta.url).href);
  const script = `
    import { testMachine } from ${here("machine.ts")};
    import { testNetwork } from ${here("network.ts")};
    import { testPool } from ${here("pool.ts")};
    const [network, pool] = [await testNetwork("crash"), await testPool("crash")];
    const running = await testMachine({ network, start: true, guest: false, disks: [{ pool }] });
    const stopped = await testMachine({ guest: false, disks: [{}] });
    console.log([network, pool, running, stopped].map(({ name }) => name).join(" "));
    Deno.exit(0);`;
  return (await run([Deno.execPath(), "eval", script])).trim();
}
