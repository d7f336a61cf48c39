/** The test bed proves itself on the real thing: every other system test builds on what is shown here. */
import assert from "node:assert/strict";
import { sweep } from "../testbed/clean.ts";
import { virsh, virshUnless } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf, PREFIX, releaseName, testName } from "../testbed/names.ts";
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

test("sweep() leaves what is made while it sweeps", async () => {
  await using pool = await testPool("sweep");
  await using undo = new AsyncDisposableStack();
  const made: string[] = [];
  let isOver = false;
  const sweeping = sweep().finally(() => isOver = true);
  while (!isOver) {
    const name = await testName("late");
    undo.defer(() => releaseName(name));
    await pool.createVolume(name, "1M");
    made.push(name);
  }
  await sweeping;
  const left = await virsh("vol-list", pool.name);
  assert.deepEqual(made.filter((name) => !left.includes(name)), []);
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
