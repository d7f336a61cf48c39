/** The VM of an archive as create_vm takes it, and what create_vm would say to it. */
import {
  ContractError,
  type Input,
  type NewDisk,
  type NewNic,
  type Output,
  type VmConfig,
} from "../../../lib/contract/mod.ts";
import type { OvfVm } from "../../../lib/formats/ovf/model.ts";
import { GIB } from "../../../lib/text/byte_units.ts";
import type { Principal } from "../../access.ts";
import { networkFor, networkWarnings, type OpenOva, type OvaServices } from "./inspect.ts";

/** What comes of the network cards. @throws {ContractError} InvalidInput */
export function nicsOf(
  { host }: OvaServices,
  { nics }: OvfVm,
  { nics: places, keepMacs = false }: Input<"import_ova">,
): { readonly nics: NewNic[]; readonly warnings: Output<"import_ova">["warnings"] } {
  if (places !== undefined && places.length !== nics.length) {
    const reason = `nics: the archive has ${nics.length} cards, ${places.length} were said`;
    throw new ContractError("InvalidInput", { field: "nics", reason });
  }
  const usual = nics.map(({ network }) => ({ network, taken: networkFor(host, network) ?? null }));
  const made = nics.flatMap(({ model, mac }, index): NewNic[] => {
    const { leaveOut, network, bridge } = places?.[index] ?? {};
    if (leaveOut) return [];
    const own = { model, ...(keepMacs && mac !== undefined && { mac }) };
    if (bridge !== undefined) return [{ ...own, bridge, ...(network !== undefined && { network }) }];
    const taken = network ?? usual[index]!.taken;
    return taken === null ? [] : [{ ...own, network: taken }];
  });
  return { nics: made, warnings: places === undefined ? networkWarnings(usual) : [] };
}

/** The VM as create_vm takes it. */
export function configOf(
  { vm }: OpenOva,
  input: Input<"import_ova">,
  { name, paths, pool, format, nics }: {
    readonly name: string;
    /** By the place of each disk; undefined for one that is made empty. */
    readonly paths: readonly (string | undefined)[];
    readonly pool: string;
    readonly format: "qcow2" | "raw" | undefined;
    readonly nics: NewNic[];
  },
): VmConfig {
  const firmware = input.firmware ?? vm.firmware;
  const cpuCount = input.cpuCount ?? vm.cpuCount;
  const buses = vm.disks.map(({ bus }) => input.diskBus ?? bus);
  // The newer board has no IDE, and UEFI no driver for the older one's.
  const isOld = firmware === "bios" && buses.includes("ide");
  const disks = vm.disks.map(({ capacityBytes }, index): NewDisk => {
    const path = paths[index];
    const wanted = buses[index]!;
    const bus = wanted === "ide" && !isOld ? "sata" : wanted;
    if (path === undefined) {
      const sizeGb = Math.max(1, Math.ceil(capacityBytes / GIB));
      return { sizeGb, pool, bus, ...(format !== undefined && { format }) };
    }
    return { path, format: format ?? "raw", bus };
  });
  const cores = vm.coresPerSocket;
  return {
    name,
    ...(vm.description !== undefined && { description: vm.description }),
    ...(vm.osType !== undefined && { osType: vm.osType }),
    cpuCount,
    ...(cores !== undefined && cpuCount % cores === 0 && {
      cpuTopology: { sockets: cpuCount / cores, cores, threads: 1 },
    }),
    memoryMb: input.memoryMb ?? vm.memoryMb,
    firmware,
    ...(isOld && { machine: "pc" }),
    disks,
    nics,
    ...(input.allowOvercommit !== undefined && { allowOvercommit: input.allowOvercommit }),
  };
}

/**
 * Has create_vm's own rules judge what does not depend on the disks, before hours are spent on them.
 *
 * @returns what create_vm would refuse
 */
export async function obstaclesOf(
  { host }: Pick<OvaServices, "host">,
  config: VmConfig,
  principal: Principal,
): Promise<Output<"check_vm_config">["errors"]> {
  const checked = { ...config, disks: [] };
  const { errors } = await host.run("check_vm_config", checked, principal) as Output<"check_vm_config">;
  return errors;
}

/** @throws {ContractError} what create_vm would say */
export async function requireCreatable(
  services: Pick<OvaServices, "host">,
  config: VmConfig,
  principal: Principal,
): Promise<void> {
  const [first] = await obstaclesOf(services, config, principal);
  if (first === undefined) return;
  const { field, code, message } = first;
  throw ContractError.fromBody({ code, message, details: { field } });
}
