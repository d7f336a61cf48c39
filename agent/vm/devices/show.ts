/** A VM's disks and network cards, and the choices for new ones. */
import { type Unrendered, userName } from "../../../lib/i18n/message.ts";
import { ImageRoles } from "../../storage/images/roles.ts";
import { withBases } from "../../storage/shown_bases.ts";
import { spaceOf } from "../../../lib/storage/pool_space.ts";
import { LibvirtError } from "../../../ffi/error.ts";
import type { DeviceOptions, Role, VM, VmDevices, VmDisk, VmNic } from "../../../lib/contract/mod.ts";
import {
  type Compared,
  compareDisks,
  compareNics,
  compareShares,
  type DiskDevice,
  type NicDevice,
} from "../../../lib/formats/xml/device_diff.ts";
import { includes } from "../../access.ts";
import { DRIVER_FIELDS } from "../../../lib/formats/xml/device_disk.ts";
import { diskLimitsIn, nicLimitsIn } from "../../../lib/formats/xml/limit_rules.ts";
import { filtersMissing } from "../../network/filters.ts";
import { log } from "../../log.ts";
import { findVolumeAt, findVolumeNamed, POOL_RUNNING, type PoolVolume } from "../../storage/volumes.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { configurationsOf } from "./configurations.ts";
import { showHostDevices } from "./host_devices.ts";
import { shareDrivers } from "../../hosts/share_drivers.ts";

/** Waits for an additional answer: null, with a line in the log, when libvirt cannot give it. */
async function unlessSilent<T>(what: string, asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof LibvirtError)) throw error;
    log.debug(`${what} could not be read`, { error });
    return null;
  }
}

/** Leaves out what is undefined. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

async function volumeOf({ link }: LibvirtHost, disk: DiskDevice): Promise<PoolVolume | undefined> {
  const asked = disk.volume !== undefined
    ? findVolumeNamed(link, disk.volume.pool, disk.volume.name)
    : disk.source !== undefined && (disk.type === "file" || disk.type === "block")
    ? findVolumeAt(link, disk.source)
    : Promise.resolve(undefined);
  return await unlessSilent("a volume", asked) ?? undefined;
}

const DEVICES: ReadonlySet<string> = new Set(["disk", "cdrom", "floppy", "lun"]);

async function showDisk(host: LibvirtHost, vm: VM, compared: Compared<DiskDevice>): Promise<VmDisk> {
  const { device: disk, place, pending } = compared;
  const volume = await volumeOf(host, disk);
  const known = vm.disks.find((each) => each.target === disk.target && each.source === disk.source);
  const { source, format, serial, bootOrder } = disk;
  const driver = Object.fromEntries(DRIVER_FIELDS.map((field) => [field, disk[field]]));
  const limits = diskLimitsIn(disk);
  return {
    target: disk.target,
    bus: disk.bus,
    device: DEVICES.has(disk.device) ? disk.device as VmDisk["device"] : "disk",
    type: disk.type,
    readOnly: disk.readOnly,
    shareable: disk.shareable,
    trayOpen: disk.trayOpen,
    place,
    pending,
    ...defined({
      source,
      format,
      serial,
      bootOrder,
      ...driver,
      ...limits,
      capacityBytes: known?.capacityBytes ?? volume?.capacity,
      allocationBytes: known?.allocationBytes ?? volume?.allocation,
      pool: volume?.pool,
      volume: volume?.name,
    }),
  };
}

/** A VM's disks, network cards, shared folders and devices of the host. @throws {ContractError} VmNotFound @throws {LibvirtError} */
export async function showDevices(host: LibvirtHost, vmId: string): Promise<VmDevices> {
  const vm = host.requireVm(vmId);
  const { live, next } = await configurationsOf(host, vm);
  const [now, then] = [live?.toString(), next?.toString()];
  const nics = compareNics(now, then);
  const [disks, traffic, hostDevices] = await Promise.all([
    Promise.all(compareDisks(now, then).map((disk) => showDisk(host, vm, disk))),
    live === undefined ? null : unlessSilent(
      "traffic",
      host.link.call("domainTraffic", {
        uuid: vm.id,
        macs: nics.filter(({ place }) => place !== "next").map(({ device }) => device.mac),
      }),
    ),
    showHostDevices(host, now, then),
  ]);
  const showNic = ({ device: nic, place, pending }: Compared<NicDevice>): VmNic => {
    const known = vm.networkInterfaces.find((each) => each.mac.toLowerCase() === nic.mac);
    const counted = traffic?.find((each) => each.mac === nic.mac);
    const { mac, type, network, linkUp, model, filter, bootOrder, target, portGroup, vlan } = nic;
    const filterAddresses = nic.filterAddresses.split(" ").filter(Boolean);
    return {
      mac,
      type,
      network,
      linkUp,
      place,
      pending,
      filterAddresses,
      ipAddresses: known?.ipAddresses ?? [],
      ...defined({
        model,
        filter,
        bootOrder,
        target,
        portGroup,
        vlan,
        ...nicLimitsIn(nic),
        ipAddress: known?.ipAddress,
        rxBytes: counted?.rxBytes,
        txBytes: counted?.txBytes,
      }),
    };
  };
  const shares = compareShares(now, then).map(({ device, place, pending }) => ({
    ...device,
    place,
    pending,
  }));
  return { disks: await withBases(host, vm, disks), nics: nics.map(showNic), shares, hostDevices };
}

/** Choices for a new disk or network card. @throws {LibvirtError} */
export async function showOptions(host: LibvirtHost, vm: VM, role: Role): Promise<Unrendered<DeviceOptions>> {
  const { link, inventory } = host;
  const { storage } = inventory;
  // A network card can be added while storage does not answer
  if (!storage.isKnown) await unlessSilent("storage pools", storage.refresh());
  const [filters, interfaces, noPasst] = await Promise.all([
    link.call("filterNames").catch((error) =>
      filtersMissing(error) ?? unlessSilent("network filters", Promise.reject(error))
    ),
    link.machine?.interfaces() ?? [],
    host.passt.missing(),
  ]);
  const started = storage.records().filter(({ state }) => state === POOL_RUNNING);
  const read = await Promise.all(started.map(async ({ name, ...figures }) => ({
    name,
    availableBytes: spaceOf(figures)?.available ?? 0,
    volumes: await unlessSilent("a pool's volumes", storage.volumes(name)) ?? [],
  })));
  const roles = await ImageRoles.read(host, read.flatMap(({ volumes }) => volumes));
  const listed = read.map(({ volumes, ...pool }) => ({
    ...pool,
    volumes: volumes.filter((volume) => (roles.of(volume) ?? "part") !== "part").map((volume) => ({
      name: volume.name,
      path: volume.path,
      ...(volume.format !== undefined && { format: volume.format }),
      capacityBytes: volume.capacity,
      usedBy: roles.usage.of(volume).map(userName),
    })),
  }));
  const byName = (a: { name: string }, b: { name: string }) => a.name < b.name ? -1 : 1;
  return {
    pools: listed.sort(byName),
    networks: inventory.networks.records().map(({ name, active }) => ({ name, active })).sort(byName),
    hostInterfaces: interfaces,
    filters: typeof filters === "string" ? [] : (filters ?? []).sort(),
    ...(typeof filters === "string" && { filtersUnavailable: filters }),
    mayDeleteVolumes: includes(role, "administrator"),
    mayLoosenFilters: true,
    userNetworking: [
      { backend: "slirp" },
      { backend: "passt", ...(noPasst !== undefined && { unavailable: noPasst }) },
    ],
    shareDrivers: await shareDrivers(host, vm),
  };
}
