/** Preview of an archive with the default choices, with the refusals of the import. */
import type { Input, OvaPreview } from "../../../lib/contract/mod.ts";
import { vmNameOf } from "../../../lib/vm/vm_name.ts";
import type { Principal } from "../../access.ts";
import { obstaclesOf } from "../foreign/config.ts";
import { ovaConfigOf, ovaNicsOf } from "./config.ts";
import { networkFor, networkWarnings, openOva, type OvaServices } from "./inspect.ts";

/** inspect_ova. @throws {ContractError} why it cannot be imported */
export async function inspectOva(
  services: OvaServices,
  input: Input<"inspect_ova">,
  principal: Principal,
): Promise<OvaPreview> {
  const { host } = services;
  host.requireFilled();
  using held = new DisposableStack();
  const ova = await openOva(services, input, principal.role, held);
  const { vm, disks, checksums, warnings } = ova;
  const nics = vm.nics.map(({ network, model, mac }) => ({
    network,
    model,
    ...(mac !== undefined && { mac }),
    taken: networkFor(host, network) ?? null,
  }));
  const name = vmNameOf(vm.name, (each) => host.inventory.vmByName(each) !== undefined);
  const format = "qcow2", paths = disks.map(() => undefined);
  const config = ovaConfigOf(ova, input, {
    name,
    paths,
    pool: input.pool,
    format,
    nics: ovaNicsOf(services, vm, input).nics,
  });
  const obstacles = await obstaclesOf(services, config, principal);
  return {
    name,
    originalName: vm.name,
    ...(vm.description !== undefined && { description: vm.description }),
    ...(vm.osType !== undefined && { osType: vm.osType }),
    cpuCount: vm.cpuCount,
    memoryMb: vm.memoryMb,
    firmware: vm.firmware,
    disks: vm.disks.map(({ file, capacityBytes, bus }, index) => ({
      file,
      format: disks[index]?.format ?? "new",
      capacityBytes: disks[index]?.virtualBytes ?? capacityBytes,
      fileBytes: disks[index]?.entry.size ?? 0,
      bus,
    })),
    nics,
    checksums: checksums !== undefined,
    warnings: [...warnings, ...networkWarnings(nics), ...obstacles],
  };
}
