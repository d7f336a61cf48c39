/** The TPM that a copy of a VM gets. */
import { message, vmName } from "../../../lib/i18n/message.ts";
import { type ClonedTpm, ContractError, type VM } from "../../../lib/contract/mod.ts";
import type { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { hasEmulatedTpm } from "../../../lib/formats/xml/tpm.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { JobHandle } from "../../jobs/jobs.ts";
import { readTpmState, type TpmStateFile } from "./tpm_state.ts";

/**
 * TPM state that a copy begins with; empty where it is to have a new TPM.
 *
 * @param document the VM's definition
 * @throws {ContractError} CloneFailed where the state of the VM's TPM cannot be read: without it the copy may not boot
 */
export async function tpmToCopy(
  host: LibvirtHost,
  document: XmlDocument,
  { vm, name, tpm }: { readonly vm: VM; readonly name: string; readonly tpm: ClonedTpm },
  job: Pick<JobHandle, "log">,
): Promise<readonly TpmStateFile[]> {
  if (!hasEmulatedTpm(document)) return [];
  if (tpm === "new") {
    job.log(message`${name} gets a new, empty TPM: what ${vmName(vm)} keeps in its own is not copied`);
    return [];
  }
  const state = await readTpmState(host, document, vm.id);
  if (state === undefined) return [];
  if ("fault" in state) {
    const error = `the state of its TPM cannot be copied, because ${state.fault}. ` +
      'Ask for a new, empty one all the same: tpm "new"';
    throw new ContractError("CloneFailed", { error });
  }
  job.log(
    state.files.length > 0
      ? `Copying the state of its TPM`
      : message`${name} gets a new TPM: ${vmName(vm)} was never started with its own`,
  );
  return state.files;
}
