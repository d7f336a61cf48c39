/** Preview of a foreign VM with the default choices, with the refusals of the import. */
import type { ForeignPreview, Input } from "../../../lib/contract/mod.ts";
import { vmNameOf } from "../../../lib/vm/vm_name.ts";
import type { Principal } from "../../access.ts";
import { log } from "../../log.ts";
import { hasFormats, POOL_RUNNING, usualPool } from "../../storage/volumes.ts";
import { configOf, nicsOf, obstaclesOf, usualPlaces } from "./config.ts";
import type { ForeignServices, ForeignSource } from "./model.ts";
import { openForeign } from "./source.ts";
import { uncleanReason } from "./windows.ts";
import { type ForeignWarning, foreignWarning } from "../../../lib/formats/foreign/vm/model.ts";

/** Milliseconds that a look at the file systems of all disks may take. */
const LOOK_MS = 20_000;

/** The last choices, as far as they are possible now. */
export function lastChoices({ host, choices }: ForeignServices): ForeignPreview["chosen"] {
  const pools = host.inventory.storage.records();
  const pool = choices.get(host.id, "pool"), format = choices.get(host.id, "format");
  const kept = pools.find(({ name, state }) => name === pool && state === POOL_RUNNING)?.name ??
    usualPool(pools);
  return {
    ...(kept !== undefined && { targetPool: kept }),
    ...((format === "qcow2" || format === "raw") && { diskFormat: format }),
  };
}

/** The name that a foreign VM gets here by default. */
export const nameHere = ({ host }: ForeignServices, { vm }: ForeignSource): string =>
  vmNameOf(vm.name, (each) => host.inventory.vmByName(each) !== undefined);

/**
 * Warnings about a Windows that was not shut down. Disks that cannot be read in time have none: the import checks them
 * again.
 *
 * @param limitMs limit in milliseconds for all disks together
 */
export async function uncleanWarnings(
  { vm, disks }: Pick<ForeignSource, "vm" | "disks">,
  limitMs = LOOK_MS,
): Promise<ForeignWarning[]> {
  if (vm.osType === "linux") return [];
  const warnings: ForeignWarning[] = [], signal = AbortSignal.timeout(limitMs);
  try {
    for (const [index, { file, readGuest }] of disks.entries()) {
      const reason = readGuest && await uncleanReason({ file, readGuest }, signal);
      if (reason !== undefined) warnings.push(foreignWarning(`disks.${index}`, "NotClean", { file, reason }));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    log.info("the file systems of a disk could not be looked at in time", { vm: vm.name });
  }
  return warnings;
}

/** inspect_foreign_vm. @throws {ContractError} why it cannot be imported */
export async function inspectForeign(
  services: ForeignServices,
  input: Input<"inspect_foreign_vm">,
  principal: Principal,
): Promise<ForeignPreview> {
  const { host } = services;
  host.requireFilled();
  using held = new DisposableStack();
  const source = await openForeign(services, input, principal, held);
  const { vm, disks, sums, found } = source,
    chosen = lastChoices(services),
    name = nameHere(services, source);
  const { places, warnings } = await usualPlaces(services, vm.nics);
  const { nics } = await nicsOf(services, vm, {});
  const pool = chosen.targetPool ?? "default", record = host.inventory.storage.record(pool);
  const config = configOf(vm, {}, {
    name,
    paths: disks.map(() => undefined),
    buses: disks.map(() => undefined),
    pool,
    format: record === undefined || hasFormats(record) ? "qcow2" : undefined,
    nics,
  });
  const obstacles = await obstaclesOf(services, config, principal), unclean = await uncleanWarnings(source);
  return {
    ...(found !== undefined && { vm: found }),
    name,
    originalName: vm.name,
    ...(vm.description !== undefined && { description: vm.description }),
    ...(vm.guest !== undefined && { guest: vm.guest }),
    ...(vm.osType !== undefined && { osType: vm.osType }),
    cpuCount: vm.cpuCount,
    memoryMb: vm.memoryMb,
    firmware: vm.firmware,
    tpm: vm.tpm ?? false,
    disks: vm.disks.map(({ was = "" }, index) => ({
      file: disks[index]!.file,
      was,
      format: disks[index]!.format,
      capacityBytes: disks[index]!.virtualBytes,
      fileBytes: disks[index]!.fileBytes,
      bus: config.disks![index]!.bus!,
    })),
    nics: vm.nics.map(({ network, was = "", model, mac, vlan, linkUp = true }, index) => ({
      network,
      was,
      model,
      ...(mac !== undefined && { mac }),
      ...(vlan !== undefined && { vlan }),
      linkUp,
      taken: places[index] ?? null,
    })),
    checksums: sums !== undefined,
    chosen,
    warnings: [...unclean, ...source.warnings, ...warnings, ...obstacles],
  };
}
