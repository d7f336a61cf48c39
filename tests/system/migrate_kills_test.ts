/**
 * Moves between hosts that are cut at random moments: libvirtd, QEMU and KVM Manager of either host killed, the line cut. The
 * VM is on exactly one host then, with its disk whole, and nothing is left on the other one. `KVMM_KILLS=100` sets how many,
 * `KVMM_KILL_SEED` the moments.
 */
import assert from "node:assert/strict";
import { MigrationHost, migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { run } from "../testbed/process.ts";
import { call, shows } from "../testbed/product.ts";
import { CallError } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const KILLS = Number(Deno.env.get("KVMM_KILLS") ?? 12), SEED = Number(Deno.env.get("KVMM_KILL_SEED") ?? 1);
/**
 * Kills come within this many times the duration of a move that is not cut. Beyond 1, so that they reach the end, where the
 * VM is handed over, also when moves slow down.
 */
const SPAN = 1.25;

/** Both hosts, seen from a VM that moves. */
interface Move {
  readonly from: MigrationHost;
  readonly to: MigrationHost;
  readonly name: string;
}

async function killQemu({ libvirt }: MigrationHost, name: string): Promise<void> {
  const pid = await libvirt.qemuOf(name);
  if (pid !== null) Deno.kill(pid, "SIGKILL");
}

const VICTIMS: Readonly<Record<string, (move: Move) => void | Promise<void>>> = {
  "libvirtd of the source": ({ from }) => from.libvirt.kill(),
  "libvirtd of the destination": ({ to }) => to.libvirt.kill(),
  "KVM Manager of the source": ({ from }) => from.killServer(),
  "KVM Manager of the destination": ({ to }) => to.killServer(),
  "QEMU of the source": ({ from, name }) => killQemu(from, name),
  "QEMU of the destination": ({ to, name }) => killQemu(to, name),
  "the line": ({ to }) => to.line.cut(),
};

/** Snapshots of a VM that is off, by their names. */
const SNAPSHOTS = ["apart", "within"];
/** A stretch of its disk that the test writes, as qemu-io has it, and what is there at each time. */
const STRETCH = "64k 64k", AT = { within: 0x11, apart: 0x22, now: 0x33 } as const;

/** The image of a VM's disk, as its host sees it. */
async function diskOf({ libvirt }: MigrationHost, name: string): Promise<string> {
  const lines = (await libvirt.virsh("domblklist", name, "--details")).split("\n");
  return lines.find((line) => line.includes("vda"))!.trim().split(/\s+/).at(-1)!;
}

/** Writes a pattern to an image, or looks for it. @throws {Error} where it is not there */
async function io({ libvirt }: MigrationHost, what: "read" | "write", path: string, pattern: number) {
  const said = await libvirt.inside("qemu-io", "-f", "qcow2", "-c", `${what} -P ${pattern} ${STRETCH}`, path);
  assert.match(said, new RegExp(`^${what === "read" ? "read" : "wrote"} 65536/65536`), said);
}

/** Takes both, each with content of its own. */
async function takeSnapshots(host: MigrationHost, name: string, path: string): Promise<void> {
  const { libvirt } = host;
  await io(host, "write", path, AT.within);
  await libvirt.virsh("snapshot-create-as", name, "within");
  await io(host, "write", path, AT.apart);
  await libvirt.virsh("snapshot-create-as", name, "apart", "--disk-only");
  await io(host, "write", await diskOf(host, name), AT.now);
  await libvirt.virsh("pool-refresh", "images");
}

/** The disk has what was written last, and each snapshot is gone back to. */
async function requireSnapshots(
  host: MigrationHost,
  name: string,
  vmId: string,
  what: string,
): Promise<void> {
  const image = await diskOf(host, name);
  await host.libvirt.inside("qemu-img", "check", "-q", image);
  await io(host, "read", image, AT.now);
  // To one within an image that the disk has left nothing goes back: its content is looked at there
  await call(host.server, "revert_snapshot", { vmId, name: "apart" });
  await io(host, "read", await diskOf(host, name), AT.apart);
  assert.equal(await host.libvirt.virsh("domstate", name), "shut off", what);
  const [{ filename: base }] = JSON.parse(
    await host.libvirt.inside(
      "qemu-img",
      "info",
      "--output=json",
      "--backing-chain",
      await diskOf(host, name),
    ),
  ).toReversed();
  await host.libvirt.inside("qemu-img", "snapshot", "-a", "within", base);
  await io(host, "read", base, AT.within);
}

/** Removes the images of a host. */
async function emptied(host: MigrationHost): Promise<void> {
  for (const image of await host.volumes()) await Deno.remove(`${host.images}/${image}`);
  await host.libvirt.virsh("pool-refresh", "images");
}

/** Activity of a host's last moves. */
async function said({ server }: MigrationHost): Promise<string> {
  const told = await call(server, "get_activity", { actions: ["migrate_vm"], limit: 4 });
  return told.map(({ timestamp, message }) => `${new Date(timestamp).toISOString()} ${message}`).join("\n");
}

/** Starts again what was killed, and waits until all is settled. */
async function recover({ from, to }: Move): Promise<void> {
  for (const host of [from, to]) {
    if (await host.libvirt.pid() === null) await host.libvirt.start();
    const isUp = await fetch(`${host.server.url}/api/v1/health`).then(
      (answer) => answer.body?.cancel(),
      () => null,
    );
    if (isUp === null) await host.startServer();
  }
  await until(
    "everything to be settled",
    () => Promise.resolve(from.open().length + to.open().length === 0),
    { seconds: 90 },
  );
}

/** Makes a VM with a disk to copy, and with snapshots where it is off; waits until its host knows it. */
async function vmToMove(from: MigrationHost, n: number, isOff: boolean) {
  const image = `moved-${n}.qcow2`, path = await randomImage(from, image, 24);
  const { name, uuid: vmId } = await from.libvirt.machine({
    start: !isOff,
    disks: [{ path, format: "qcow2", bus: "virtio" }],
  });
  // One that is off has a snapshot within its image and one of an image of its own: both go along
  if (isOff) await takeSnapshots(from, name, path);
  await shows(from.server, vmId, ({ state }) => state === (isOff ? "stopped" : "running"));
  return { image, name, vmId };
}

/** Moves a VM. @throws {CallError} */
async function moved({ server }: MigrationHost, vmId: string): Promise<void> {
  await call(server, "migrate_vm", { vmId, toHost: "there", bandwidthMib: 20, keepDisks: true });
}

/** Moves a VM without a cut, and removes it. @returns milliseconds that the move took */
async function moveMs({ from, to }: Pick<Move, "from" | "to">, isOff: boolean): Promise<number> {
  const { name, vmId } = await vmToMove(from, -1, isOff);
  const begin = performance.now();
  await moved(from, vmId);
  const took = performance.now() - begin;
  if (!isOff) await to.libvirt.virsh("destroy", name);
  await to.libvirt.virsh("undefine", name, "--snapshots-metadata");
  for (const host of [from, to]) await emptied(host);
  return took;
}

Deno.test({
  name: `${KILLS} moves that are cut leave the VM on exactly one host, whole`,
  ignore,
  fn: async () => {
    await using hosts = await migrationHosts();
    const moveTakes = { running: await moveMs(hosts, false), off: await moveMs(hosts, true) };
    console.log("undisturbed moves take", moveTakes);
    const ends = new Map<string, number>();
    for (let n = 0; n < KILLS; n++) {
      const { from, to } = hosts, victims = Object.keys(VICTIMS), victim = victims[n % victims.length]!;
      // Every other time round all of them, the VM is off
      const isOff = Math.floor(n / victims.length) % 2 === 1 && !victim.startsWith("QEMU");
      const { image, name, vmId } = await vmToMove(from, n, isOff);
      const move = { from, to, name };
      const asked = moved(from, vmId).then(() => "moved", (error) => {
        if (error instanceof CallError) return (error.body as { code: string }).code;
        return "cut";
      });
      const afterMs = ((n + 1) * SEED * 0.6180339) % 1 * SPAN * (isOff ? moveTakes.off : moveTakes.running);
      await delay(afterMs);
      await VICTIMS[victim]!(move);
      const told = await asked,
        what = `${victim}${isOff ? ", off," : ""} after ${Math.round(afterMs)} ms: ${told}`;
      await recover(move);
      const [here, there] = [(await from.vms()).includes(name), (await to.vms()).includes(name)];
      assert.equal(Number(here) + Number(there), 1, `${what}; here ${here}, there ${there}`);
      const at = here ? from : to, other = here ? to : from;
      if (!victim.startsWith("QEMU")) {
        assert.equal(await at.libvirt.virsh("domstate", name), isOff ? "shut off" : "running", what);
      }
      if (told === "moved") assert.equal(at, to, what);
      const snapshots = (await at.libvirt.virsh("snapshot-list", name, "--name")).split("\n");
      assert.deepEqual(snapshots.filter((each) => each !== "").toSorted(), isOff ? SNAPSHOTS : [], what);
      if (await at.libvirt.qemuOf(name) !== null) await at.libvirt.virsh("destroy", name);
      // Its disk is whole, and as it was; so is what each snapshot keeps
      if (isOff) await requireSnapshots(at, name, vmId, what);
      else {
        const own = `${at.images}/${(await diskOf(at, name)).split("/").at(-1)}`;
        await run(["qemu-img", "compare", "-q", own, `${from.images}/${image}`]);
      }
      // Nothing is left on the other one
      if (other === to) assert.deepEqual(await to.volumes(), [], `${what}\n${await said(to)}`);
      assert.deepEqual([await from.left(), await to.left()], ["", ""], what);
      ends.set(
        `${here ? "stayed" : "moved"}: ${victim}`,
        (ends.get(`${here ? "stayed" : "moved"}: ${victim}`) ?? 0) + 1,
      );
      console.log(what, here ? "→ stayed" : "→ moved");
      await at.libvirt.virsh("undefine", name, "--snapshots-metadata");
      for (const host of [from, to]) await emptied(host);
      await from.linked();
    }
    console.log(Object.fromEntries(ends));
  },
});
