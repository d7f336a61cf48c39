/**
 * VMs of another host that is managed here, by SSH or otherwise: definition and disks come through its libvirt's own
 * connection. The VM is off there, and kept off until its disks have come.
 */
import { Transfer } from "../../../ffi/transfers.ts";
import { ContractError, type ForeignVmEntry, type Input, type VM } from "../../../lib/contract/mod.ts";
import { may } from "../../../lib/access/rights.ts";
import { readLibvirt } from "../../../lib/formats/foreign/vm/libvirt.ts";
import { askedRights } from "../../access/asking.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { contractError, isConnectionLost } from "../../libvirt/failure.ts";
import { checkImage } from "../../storage/disk_images/check.ts";
import { findVolumeAt, type PoolVolume } from "../../storage/volumes.ts";
import { type ForeignServices, type ForeignSource, type SourceDisk, told } from "./model.ts";
import { bring } from "./remote/arrival.ts";
import { LineBroken, type RemoteDisk } from "./remote/remote_disk.ts";
import { message } from "../../../lib/i18n/message.ts";

/** The host that is meant, for who may administer its VMs. @throws {ContractError} HostNotFound, Forbidden, ForeignVmRefused */
function sourceHost({ hosts, host }: ForeignServices, from: string): LibvirtHost {
  const other = hosts.named(from) ?? hosts.require(from);
  const rights = askedRights(), at = { hostId: other.id };
  if (!may(rights, "vms.administer", at) || !may(rights, "storage.operate", at)) {
    throw new ContractError("Forbidden", { role: "administrator" });
  }
  if (other === host) {
    throw new ContractError("ForeignVmRefused", {
      reason: "the VM is on this host already. Clone it instead",
    });
  }
  other.requireFilled();
  return other;
}

/** The VMs of a host. @throws {ContractError} */
export function libvirtVms(services: ForeignServices, from: string): ForeignVmEntry[] {
  return sourceHost(services, from).inventory.vms().map(({ name, state }) => ({ vm: name, name, state }));
}

/** The VM that is meant. @throws {ContractError} VmNotFound, ForeignVmRefused, VmMustBeOff */
function meantVm(other: LibvirtHost, named: string | undefined): VM {
  const vms = other.inventory.vms();
  if (named === undefined && vms.length !== 1) {
    throw new ContractError("ForeignVmRefused", {
      reason: message`${other.id} has ${vms.length} VMs. Say which one (--vm)`,
    });
  }
  const vm = named === undefined ? vms[0] : vms.find(({ id, name }) => name === named || id === named);
  if (vm === undefined) throw new ContractError("VmNotFound", { vmId: named });
  if (vm.state !== "stopped") throw new ContractError("VmMustBeOff", { state: vm.state });
  return vm;
}

/** A volume of another host, through its libvirt. */
function volumeOf(
  other: LibvirtHost,
  { path, size, changed }: Pick<PoolVolume, "path" | "changed"> & { readonly size: number },
): RemoteDisk {
  /** Converts a lost connection into {@link LineBroken}, other errors into ImportFailed. */
  const told = (error: unknown): unknown =>
    isConnectionLost(error)
      ? new LineBroken(`no connection to ${other.id}`, { cause: error })
      : contractError(error, "ImportFailed", "import_foreign_vm");
  return {
    label: path,
    size,
    ...(changed !== undefined && { state: JSON.stringify([other.link.uri, path, size, changed]) }),
    open: async (offset, length) => {
      const transfer = await Transfer.open(other.link.address, {
        direction: "download",
        ...other.link.placeOf(path),
        offset,
        length,
      }, other.link.gate).catch((error) => Promise.reject(told(error)));
      const pieces = async function* () {
        try {
          for (let left = length; left > 0;) {
            const bytes = await transfer.receive();
            if (bytes.length === 0) {
              throw new ContractError("ImportFailed", {
                error: message`${path} on ${other.id} became shorter`,
              });
            }
            left -= bytes.length;
            yield bytes;
          }
          await transfer.finish();
        } catch (error) {
          throw error instanceof ContractError ? error : told(error);
        }
      };
      return { pieces: pieces(), [Symbol.asyncDispose]: () => transfer[Symbol.asyncDispose]() };
    },
  };
}

/**
 * Opens a VM of another host.
 *
 * @param held keeps it off until it is disposed of
 * @throws {ContractError} HostNotFound, Forbidden, VmNotFound, VmMustBeOff, DiskRefused, DiskNotFound, VmBusy
 */
export async function libvirtSource(
  services: ForeignServices,
  { origin, vm: named }: Input<"inspect_foreign_vm">,
  held: DisposableStack,
): Promise<ForeignSource> {
  const other = sourceHost(services, origin), found = meantVm(other, named);
  held.use(other.claims.take(found, "copying a disk"));
  const xml = await other.link.call("domainXml", { uuid: found.id, secure: false, inactive: true });
  const vm = told(() => readLibvirt(xml));
  const disks: SourceDisk[] = [];
  for (const disk of vm.disks) {
    const path = disk.file!;
    const volume = await findVolumeAt(other.link, path);
    if (volume === undefined) {
      const reason =
        `it is in no started storage pool of ${other.id}. Create a pool for its folder there first`;
      throw new ContractError("DiskRefused", { path, reason });
    }
    await checkImage(other, { volume: { pool: volume.pool, name: volume.name } }, {
      purpose: "bytes",
      role: "administrator",
    }, held);
    const size = await other.link.call("volumePhysical", { path: volume.path });
    disks.push({
      file: path,
      format: disk.format ?? "raw",
      virtualBytes: volume.capacity,
      fileBytes: size,
      local: undefined,
      readGuest: undefined,
      convert: (target, work) =>
        bring(services, volumeOf(other, { ...volume, size }), disk.format, target, work),
    });
  }
  return {
    found: named === undefined ? found.name : undefined,
    vm,
    disks,
    sums: undefined,
    warnings: vm.warnings,
    confirm: undefined,
  };
}
