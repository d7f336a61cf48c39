/** The files that libvirt keeps of a VM that is off, in addition to its definition: UEFI variables, and the state of an emulated TPM. */
import { createHash } from "node:crypto";
import { ContractError } from "../../../lib/contract/mod.ts";
import type { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { nvramPath } from "../../../lib/formats/xml/nvram.ts";
import { type MigrationAnswers, MOST_STATE, type StateFile } from "../../../lib/host/migration_protocol.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { readRegular, undefinedIfMissing } from "../../machine/files.ts";
import { plainPath } from "../../machine/host_file.ts";
import { readTpmState } from "../lifecycle/tpm_state.ts";
import { message } from "../../../lib/i18n/message.ts";

export type StateBytes = readonly [name: StateFile, bytes: Uint8Array];

/** Reads it. @param document its definition @throws {ContractError} MigrationFailed where it cannot be read: without it the VM may not boot */
export async function stateFilesOf(
  host: Pick<LibvirtHost, "link">,
  document: XmlDocument,
  vmId: string,
): Promise<StateBytes[]> {
  const nvram = nvramPath(document);
  // It was never started where there is none
  const variables = nvram && await undefinedIfMissing(readRegular(plainPath(nvram), MOST_STATE));
  const tpm = await readTpmState(host, document, vmId);
  if (tpm !== undefined && "fault" in tpm) {
    throw new ContractError("MigrationFailed", {
      error: message`the state of its TPM cannot be copied, because ${tpm.fault}`,
    });
  }
  const ofTpm = tpm?.files.map(({ name, bytes }): StateBytes => [name, bytes]) ?? [];
  return variables ? [["nvram", variables], ...ofTpm] : ofTpm;
}

/** A hash of each. */
export const hashesOf = (files: readonly StateBytes[]): MigrationAnswers["define"]["state"] =>
  files.map(([name, bytes]) => ({ name, sha256: createHash("sha256").update(bytes).digest("hex") }));
