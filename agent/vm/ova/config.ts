/** The VM of an archive as create_vm takes it. */
import type { Input, NewNic, Output, VmConfig } from "../../../lib/contract/mod.ts";
import type { OvfVm } from "../../../lib/formats/ovf/model.ts";
import { configOf as foreignConfig, type MadeForVm, requireCount } from "../foreign/config.ts";
import { networkFor, networkWarnings, type OpenOva, type OvaServices } from "./inspect.ts";

/** Network cards of the new VM. @throws {ContractError} InvalidInput */
export function ovaNicsOf(
  { host }: OvaServices,
  { nics }: OvfVm,
  { nics: places, keepMacs = false }: Input<"import_ova">,
): { readonly nics: NewNic[]; readonly warnings: Output<"import_ova">["warnings"] } {
  requireCount("nics", nics.length, places?.length);
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
export const ovaConfigOf = (
  { vm }: OpenOva,
  input: Input<"import_ova">,
  made: Omit<MadeForVm, "buses">,
): VmConfig =>
  foreignConfig({ ...vm, machine: undefined }, input, { ...made, buses: vm.disks.map(() => input.diskBus) });
