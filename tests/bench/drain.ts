/** Measures the time to empty a host in maintenance; the peer moves the same VMs by virsh, as many at once. */
import { forEachConcurrent } from "../../lib/for_each_concurrent.ts";
import { type MigrationHost, migrationHosts } from "../testbed/migration_hosts.ts";
import { run } from "../testbed/process.ts";
import { call, shows } from "../testbed/product.ts";
import { until } from "../testbed/wait.ts";
import { type Bench, roundsOf } from "./bench.ts";
import { inTurn, timed } from "./measure.ts";
import { comparison } from "./row.ts";

/** VMs, how many move at once, and MiB of a disk that hold data. */
const VMS = 8, AT_ONCE = 2, MEBIBYTES = 16;
const SIZE = "64M";

type Hosts = { readonly from: MigrationHost; readonly to: MigrationHost };
type Vm = { readonly name: string; readonly uuid: string };

const imageOf = (n: number) => `drained-${n}.qcow2`;

/** Starts the VMs, has them moved, and clears both hosts. */
async function emptied({ from, to }: Hosts, move: (vms: readonly Vm[]) => Promise<unknown>): Promise<number> {
  const vms: Vm[] = [];
  for (let n = 0; n < VMS; n++) {
    const path = `${from.images}/${imageOf(n)}`;
    await run(["qemu-img", "create", "-q", "-f", "qcow2", path, SIZE]);
    await run(["qemu-io", "-f", "qcow2", "-c", `write -q -P 0x5a 0 ${MEBIBYTES}M`, path]);
    const source = `/var/lib/libvirt/images/${imageOf(n)}`;
    vms.push(
      await from.libvirt.machine({ start: true, disks: [{ path: source, format: "qcow2", bus: "virtio" }] }),
    );
  }
  await from.libvirt.virsh("pool-refresh", "images");
  for (const { uuid } of vms) await shows(from.server, uuid, ({ state }) => state === "running");
  const ms = await timed(() => move(vms));
  for (const { name } of vms) {
    await to.libvirt.virsh("destroy", name);
    for (const host of [from, to]) {
      if ((await host.vms()).includes(name)) await host.libvirt.virsh("undefine", name);
    }
  }
  for (const host of [from, to]) {
    for (const name of await host.volumes()) await Deno.remove(`${host.images}/${name}`);
    await host.libvirt.virsh("pool-refresh", "images");
  }
  return ms;
}

/** By maintenance, with its plan and its checks. */
async function byUs({ from }: Hosts, vms: readonly Vm[]): Promise<void> {
  await call(from.server, "start_maintenance", {});
  await until("the host to be empty", async () => {
    const { state, vms: drained } = await call(from.server, "get_maintenance");
    return state === "on" && drained.filter(({ state }) => state === "done").length === vms.length;
  }, { seconds: 300, every: 100 });
}

/** By virsh: images made before, a call for each VM. */
async function byVirsh({ from, to }: Hosts, vms: readonly Vm[]): Promise<void> {
  const numbered = vms.map(({ name }, n) => ({ name, n }));
  await forEachConcurrent(AT_ONCE, numbered, async ({ name, n }) => {
    await run(["qemu-img", "create", "-q", "-f", "qcow2", `${to.images}/${imageOf(n)}`, SIZE]);
    await from.libvirt.virsh(
      "migrate",
      "--live",
      "--persistent",
      "--undefinesource",
      "--copy-storage-all",
      name,
      to.libvirt.uri,
      "--migrateuri",
      `unix://${to.dataDir}/memory-${n}`,
      "--disks-uri",
      `unix://${to.dataDir}/disks-${n}`,
    );
  });
}

export const drain: Bench = async function* (context) {
  await using hosts = await migrationHosts();
  await call(hosts.from.server, "update_move_limits", { movesAtOnce: AT_ONCE });
  await call(hosts.to.server, "update_move_limits", { movesAtOnce: AT_ONCE });
  const figures = await inTurn(roundsOf(context, 3), {
    ours: async () => {
      const ms = await emptied(hosts, (vms) => byUs(hosts, vms));
      await call(hosts.from.server, "end_maintenance", { bringBack: false });
      return ms;
    },
    virsh: () => emptied(hosts, (vms) => byVirsh(hosts, vms)),
  });
  yield comparison({
    what: `a host emptied of ${VMS} small VMs for maintenance, ${AT_ONCE} at once`,
    ours: figures.ours,
    theirs: figures.virsh,
    peer: "virsh, as many at once, over sockets that both hosts share, in the clear",
    aim: { ratio: 1.2 },
  });
};
