/**
 * Measures moves of a VM to another host. Through the link: the peer is virsh, whose libvirts share sockets. Past the link,
 * from QEMU to QEMU by TCP with QEMU's TLS: the peer is virsh by the same way.
 */
import { ADDRESS, connectDirectly } from "../testbed/cable.ts";
import { testFolder } from "../testbed/folder.ts";
import { MigrationHost, migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { run } from "../testbed/process.ts";
import { call, shows } from "../testbed/product.ts";
import { type Bench, roundsOf } from "./bench.ts";
import { inTurn, timed } from "./measure.ts";
import { comparison } from "./row.ts";

/** MiB of a disk that is copied. */
const DISK = { full: 1024, quick: 256 };

/** Starts a VM with the image, which both hosts forget afterwards. */
async function withVm(
  { from, to }: { readonly from: MigrationHost; readonly to: MigrationHost },
  path: string,
  move: (vm: { readonly name: string; readonly uuid: string }) => Promise<unknown>,
): Promise<number> {
  const vm = await from.libvirt.machine({ start: true, disks: [{ path, format: "qcow2", bus: "virtio" }] });
  await shows(from.server, vm.uuid, ({ state }) => state === "running");
  const ms = await timed(() => move(vm));
  await to.libvirt.virsh("destroy", vm.name);
  for (const host of [from, to]) {
    if ((await host.vms()).includes(vm.name)) await host.libvirt.virsh("undefine", vm.name);
  }
  for (const name of await to.volumes()) await Deno.remove(`${to.images}/${name}`);
  await to.libvirt.virsh("pool-refresh", "images");
  return ms;
}

export const moves: Bench = async function* (context) {
  const mebibytes = context.quick ? DISK.quick : DISK.full, image = "moved.qcow2";
  await using hosts = await migrationHosts();
  await using ca = await testFolder();
  await connectDirectly(hosts, ca.path);
  const { from, to } = hosts, path = await randomImage(from, image, mebibytes);
  const byUs = (how: { readonly directTo?: string }) =>
    withVm(
      hosts,
      path,
      ({ uuid: vmId }) => call(from.server, "migrate_vm", { vmId, toHost: "there", keepDisks: true, ...how }),
    );
  const byVirsh = async (...how: readonly string[]) => {
    await run(["qemu-img", "create", "-q", "-f", "qcow2", `${to.images}/${image}`, `${mebibytes}M`]);
    return await withVm(hosts, path, ({ name }) =>
      from.libvirt.virsh(
        ...["migrate", "--live", "--persistent", "--undefinesource", "--copy-storage-all"],
        ...[name, to.libvirt.uri, ...how],
      ));
  };
  const { link, direct, virsh, virshDirect } = await inTurn(roundsOf(context, 6), {
    link: () => byUs({}),
    direct: () => byUs({ directTo: ADDRESS.to }),
    virsh: () =>
      byVirsh("--migrateuri", `unix://${to.dataDir}/memory`, "--disks-uri", `unix://${to.dataDir}/disks`),
    virshDirect: () => byVirsh("--tls", "--migrateuri", `tcp://${ADDRESS.to}`),
  });
  yield comparison({
    what: `a running VM with a disk of ${mebibytes} MiB to another host, encrypted`,
    ours: link,
    theirs: virsh,
    peer: "virsh, over sockets that both hosts share, in the clear",
    aim: { ratio: 1.5 },
  });
  yield comparison({
    what: "the same past the link, from QEMU to QEMU by TCP",
    ours: direct,
    theirs: virshDirect,
    peer: "virsh, by TCP with QEMU's TLS as well",
    aim: { ratio: 1.2 },
  });
  yield comparison({
    what: "through the link",
    ours: link,
    theirs: direct,
    peer: "past the link",
  });
};
