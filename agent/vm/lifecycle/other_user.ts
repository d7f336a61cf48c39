/** Files that two VMs name: what one of them takes along, the other has no more. */
import { LEFT_NVRAM } from "../../../lib/bin/entry.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { resolvedPaths } from "../../machine/resolved_path.ts";
import { filesOfBoth } from "../../storage/disk_images/usage.ts";

/**
 * Another user of a file that is no disk: another VM, now or at its next start, or one in the bin that has left its
 * UEFI variables there.
 *
 * @param uuid the VM that does not count, nor its entry in the bin
 * @returns its name; undefined where there is none @throws {LibvirtError}
 */
export async function otherUserOf(
  host: LibvirtHost,
  uuid: string,
  path: string,
): Promise<string | undefined> {
  const { bin, inventory, machine } = host;
  const vms = await Promise.all(
    inventory.everyVm().filter(({ id }) => id !== uuid).map(async (vm) =>
      (await filesOfBoth(host, vm)).others.map((other) => ({ path: other, user: vm.name }))
    ),
  );
  const kept = bin.all(host.id).filter(({ vmId }) => vmId !== uuid).flatMap((entry) =>
    (entry.definition?.left ?? []).filter(({ target }) => target === LEFT_NVRAM)
      .map((each) => ({ path: each.path, user: `${entry.name}, which is in the bin` }))
  );
  const uses = [...vms.flat(), ...kept];
  const [real, ...places] = await resolvedPaths(machine, [path, ...uses.map((each) => each.path)]);
  return uses.find((_, index) => places[index] === real)?.user;
}
