/** Cloud-init seeds of other VMs that a revert has put into a VM's drives. */
import { message, vmName } from "../../../lib/i18n/message.ts";
import { drivesOf } from "../../../lib/formats/xml/seed_drive.ts";
import { isLive } from "../../../lib/vm/state.ts";
import { oneLine } from "../../../lib/text/text.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { exchange } from "../cloud_init/handlers.ts";

/**
 * Empties the seed's drive of a VM that was reverted, where a snapshot of before names a file that is another VM's seed by
 * now: its guest would read the other's secrets. The audit log says so.
 *
 * @param had seeds that its drives had before the revert: those are its own, whoever has them as well
 * @throws {LibvirtError}
 */
export async function emptyForeignSeeds(
  host: LibvirtHost,
  uuid: string,
  had: readonly string[],
): Promise<void> {
  const { inventory, link } = host;
  await inventory.refresh(uuid); // whether it runs by now
  const vm = inventory.vm(uuid);
  if (vm === undefined) return;
  let emptied = false;
  for (const inactive of isLive(vm) ? [false, true] : [true]) {
    const { seed } = drivesOf(await link.call("domainXml", { uuid, secure: false, inactive }));
    if (seed?.path === undefined || had.includes(seed.path)) continue;
    const { path } = seed;
    const owner = inventory.vms().find(({ id, disks }) =>
      id !== uuid && disks.some(({ source }) => source === path)
    );
    if (owner === undefined) continue;
    await exchange(host, vm, { ...seed, path: undefined }, { live: !inactive, config: inactive });
    emptied = true;
    const named = { ...owner, name: oneLine(owner.name, 60) };
    const text = message`The drive ${seed.target} is empty: the snapshot names ${
      oneLine(path)
    }, which is the cloud-init seed of ${vmName(named)} by now`;
    const by = { actor: "kvm-manager", door: "agent", result: "event" } as const;
    host.record({
      ...by,
      action: "seed-emptied",
      vmId: uuid,
      vmName: vm.name,
      message: text,
    });
  }
  if (emptied) await inventory.refresh(uuid);
}
