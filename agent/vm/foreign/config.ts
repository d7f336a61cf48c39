/** A foreign VM as create_vm takes it, and what create_vm would say to it. */
import {
  ContractError,
  type Input,
  type NewDisk,
  type NewNic,
  type Output,
  type VmConfig,
} from "../../../lib/contract/mod.ts";
import {
  type ForeignNic,
  type ForeignWarning,
  foreignWarning,
  type SourceVm,
} from "../../../lib/formats/foreign/vm/model.ts";
import { readNetwork } from "../../../lib/formats/xml/network_read.ts";
import { GIB } from "../../../lib/text/byte_units.ts";
import { usualNetwork } from "../../../lib/vm/create/nics.ts";
import type { Principal } from "../../access.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { ForeignServices } from "./model.ts";

/** Changes to a VM on import, compared to its source. */
type VmChoices = Pick<
  Input<"import_foreign_vm">,
  "cpuCount" | "memoryMb" | "firmware" | "tpm" | "project" | "allowOvercommit"
>;

/** The results and the decisions of an import of a VM. */
export interface MadeForVm {
  readonly name: string;
  /** By the place of each disk; undefined for one that is made empty. */
  readonly paths: readonly (string | undefined)[];
  /** By the place of each disk; undefined where the VM says. */
  readonly buses: readonly (NewDisk["bus"] | undefined)[];
  readonly pool: string;
  readonly format: "qcow2" | "raw" | undefined;
  readonly nics: NewNic[];
}

/** The VM as create_vm takes it. */
export function configOf(
  vm: SourceVm,
  choices: VmChoices,
  { name, paths, buses: chosen, pool, format, nics }: MadeForVm,
): VmConfig {
  const firmware = choices.firmware ?? vm.firmware, cpuCount = choices.cpuCount ?? vm.cpuCount;
  const buses = vm.disks.map(({ bus }, index) => chosen[index] ?? bus);
  // The newer board has no IDE, and UEFI no driver for the older one's.
  const isOld = firmware === "bios" && (buses.includes("ide") || vm.machine === "pc");
  const disks = vm.disks.map(({ capacityBytes }, index): NewDisk => {
    const path = paths[index], wanted = buses[index]!, bus = wanted === "ide" && !isOld ? "sata" : wanted;
    if (path === undefined) {
      const sizeGb = Math.max(1, Math.ceil(capacityBytes / GIB));
      return { sizeGb, pool, bus, ...(format !== undefined && { format }) };
    }
    return { path, format: format ?? "raw", bus };
  });
  const cores = vm.coresPerSocket, tpm = choices.tpm ?? vm.tpm;
  return {
    name,
    ...(vm.description !== undefined && { description: vm.description }),
    ...(vm.osType !== undefined && { osType: vm.osType }),
    cpuCount,
    ...(cores !== undefined && cpuCount % cores === 0 && {
      cpuTopology: { sockets: cpuCount / cores, cores, threads: 1 },
    }),
    memoryMb: choices.memoryMb ?? vm.memoryMb,
    firmware,
    ...(tpm && { tpm }),
    ...(isOld && { machine: "pc" }),
    disks,
    nics,
    ...(choices.project !== undefined && { project: choices.project }),
    ...(choices.allowOvercommit !== undefined && { allowOvercommit: choices.allowOvercommit }),
  };
}

/**
 * Has create_vm's own rules judge all that does not depend on the disks, before hours are spent on them.
 *
 * @returns the refusals of create_vm
 */
export async function obstaclesOf(
  { host }: Pick<ForeignServices, "host">,
  config: VmConfig,
  principal: Principal,
): Promise<Output<"check_vm_config">["errors"]> {
  const checked = { ...config, disks: [] };
  const { errors } = await host.run("check_vm_config", checked, principal) as Output<"check_vm_config">;
  return errors;
}

/**
 * Throws the refusals of create_vm before hours are spent on the disks.
 *
 * @param diskBytes the size of its disks, for the quota of its project
 * @throws {ContractError} those of create_vm
 */
export async function requireCreatable(
  services: Pick<ForeignServices, "host">,
  config: VmConfig,
  principal: Principal,
  diskBytes: number,
): Promise<void> {
  const { projects } = services.host;
  projects.requireRoom(projects.idOf(config.project), 1, {
    cpus: config.cpuCount ?? 0,
    memoryMb: config.memoryMb ?? 0,
    diskGb: diskBytes / GIB,
  });
  const [first] = await obstaclesOf(services, config, principal);
  if (first === undefined) return;
  const { field, code, message } = first;
  throw ContractError.fromBody({ code, message, details: { field } });
}

/** Target of a network interface on this host. */
export interface NicPlaceHere {
  readonly network?: string;
  readonly bridge?: string;
}

/** Networks and bridges of a host, for the choice of targets of interfaces. */
interface Wires {
  readonly networks: readonly {
    readonly name: string;
    readonly active: boolean;
    readonly vlans: readonly number[];
  }[];
  readonly bridges: ReadonlySet<string>;
}

async function wiresOf({ inventory, machine }: LibvirtHost): Promise<Wires> {
  return {
    networks: inventory.networks.records().map(({ name, active, xml }) => ({
      name,
      active,
      vlans: readNetwork(xml).vlanTags,
    })),
    bridges: machine === null ? new Set() : await machine.bridges(),
  };
}

/** The place for an interface, and whether it is in the VLAN that it was in. */
function placeFor(
  { network, vlan }: ForeignNic,
  remembered: string | undefined,
  { networks, bridges }: Wires,
): { readonly place: NicPlaceHere | null; readonly inVlan: boolean } {
  const has = (name: string) => networks.some((each) => each.name === name);
  const [, kind, name = ""] = /^(network|bridge):(.*)$/s.exec(remembered ?? "") ?? [];
  if (kind === "network" && has(name)) return { place: { network: name }, inVlan: true };
  if (kind === "bridge" && bridges.has(name)) return { place: { bridge: name }, inVlan: true };
  if (vlan !== undefined) {
    const inIt = networks.filter(({ vlans }) => vlans.length === 1 && vlans[0] === vlan);
    if (inIt.length === 1) return { place: { network: inIt[0]!.name }, inVlan: true };
    // Names that administrators and Proxmox give to bridges of one VLAN.
    const bridge = [`${network}.${vlan}`, `${network}v${vlan}`, `br${vlan}`, `vlan${vlan}`].find((each) =>
      bridges.has(each)
    );
    if (bridge !== undefined) return { place: { bridge }, inVlan: true };
  }
  if (has(network)) return { place: { network }, inVlan: vlan === undefined };
  if (vlan === undefined && bridges.has(network)) return { place: { bridge: network }, inVlan: true };
  const usual = usualNetwork(networks);
  return { place: usual === undefined ? null : { network: usual }, inVlan: vlan === undefined };
}

/** Key of a network at the source for remembered choices: the same name in another VLAN is another network. */
export const networkKey = ({ network, vlan }: Pick<ForeignNic, "network" | "vlan">): `network:${string}` =>
  `network:${network}${vlan === undefined ? "" : ` VLAN ${vlan}`}`;

/** Default targets of all interfaces, and notes on them. */
export async function usualPlaces(
  { host, choices }: ForeignServices,
  nics: readonly ForeignNic[],
): Promise<{ readonly places: readonly (NicPlaceHere | null)[]; readonly warnings: ForeignWarning[] }> {
  const wires = await wiresOf(host), warnings: ForeignWarning[] = [];
  const places = nics.map((nic, index) => {
    const { place, inVlan } = placeFor(nic, choices.get(host.id, networkKey(nic)), wires);
    if (!inVlan) warnings.push(foreignWarning(`nics.${index}`, "VlanHere", { vlan: String(nic.vlan) }));
    const taken = place?.network ?? place?.bridge;
    const isKnown = choices.get(host.id, networkKey(nic)) !== undefined;
    if (taken !== nic.network && nic.vlan === undefined && !isKnown) {
      warnings.push(foreignWarning(`nics.${index}`, "NetworkReplaced", {
        was: nic.network === "" ? "without a name" : nic.network,
        taken: taken ?? "none",
      }));
    }
    return place;
  });
  return { places, warnings };
}

/** Network interfaces of the new VM. @throws {ContractError} InvalidInput */
export async function nicsOf(
  services: ForeignServices,
  { nics }: SourceVm,
  { nics: chosen, keepMacs = true }: Pick<Input<"import_foreign_vm">, "nics" | "keepMacs">,
): Promise<{ readonly nics: NewNic[]; readonly warnings: readonly ForeignWarning[] }> {
  requireCount("nics", nics.length, chosen?.length);
  const { places, warnings } = await usualPlaces(services, nics);
  const made = nics.flatMap((nic, index): NewNic[] => {
    const { leaveOut, network, bridge, model = nic.model, mac: given } = chosen?.[index] ?? {};
    if (leaveOut) return [];
    const mac = given ?? (keepMacs ? nic.mac : undefined);
    const own = { model, ...(mac !== undefined && { mac }), ...(nic.linkUp === false && { linkUp: false }) };
    if (bridge !== undefined) return [{ ...own, bridge, ...(network !== undefined && { network }) }];
    const place = network === undefined ? places[index]! : { network };
    return place === null ? [] : [{ ...own, ...place }];
  });
  return { nics: made, warnings: chosen === undefined ? warnings : [] };
}

/** @throws {ContractError} InvalidInput where a list has another number of entries than the VM has such things */
export function requireCount(field: "disks" | "nics", has: number, said: number | undefined): void {
  if (said === undefined || said === has) return;
  const reason = `${field}: ${said} entries were given, the VM has ${has}`;
  throw new ContractError("InvalidInput", { field, reason });
}
