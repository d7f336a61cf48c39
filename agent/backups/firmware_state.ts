/** State of a VM's firmware in a backup: its UEFI variables and its TPM. */
import { Buffer } from "node:buffer";
import type { XmlDocument } from "../../lib/formats/xml/edit.ts";
import { nvramPaths } from "../../lib/formats/xml/nvram.ts";
import { oneLine } from "../../lib/text/text.ts";
import { undefinedIfMissing } from "../machine/files.ts";
import { openFile } from "../machine/host_file.ts";
import type { TpmState } from "../vm/lifecycle/tpm_state.ts";

/** Firmware data that libvirt keeps of a VM in addition to its disks. */
export interface FirmwareState {
  /** Its UEFI variables, where it has any. */
  readonly nvram: Uint8Array<ArrayBuffer> | undefined;
  readonly tpm: TpmState | undefined;
}

/** Reads it again, to find changes made during a copy. */
export type ReadFirmwareState = () => Promise<FirmwareState>;

/** Notes on the copy of a TPM. @param secret UUID of the secret that its state is encrypted with */
export function tpmNotes(tpm: TpmState | undefined, secret: string | undefined): string[] {
  if (tpm === undefined) return [];
  if ("fault" in tpm) return [`The state of its TPM is not in it: ${tpm.fault}`];
  if (tpm.files.length === 0 || secret === undefined) return [];
  return [
    `The state of its TPM is encrypted with libvirt's secret ${oneLine(secret, 40)}, which is not in it`,
  ];
}

/** Whether two looks found the same. */
export function isSameFirmware(a: FirmwareState, b: FirmwareState): boolean {
  const contents = ({ nvram, tpm }: FirmwareState) => [
    ["nvram", nvram] as const,
    ...(tpm !== undefined && "files" in tpm
      ? tpm.files.map(({ name, bytes }) => [name, bytes] as const)
      : []),
  ];
  const [first, second] = [contents(a), contents(b)];
  return first.length === second.length && first.every(([name, bytes], index) => {
    const [otherName, other] = second[index]!;
    return name === otherName && Buffer.compare(bytes ?? NONE, other ?? NONE) === 0;
  });
}

const NONE = new Uint8Array();

/** The UEFI variables of a definition; undefined where there are none, or none yet. */
export async function nvramBytes(
  document: XmlDocument,
  name: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const path = nvramPaths(document, name, name, (own) => own)?.from;
  if (path === undefined) return undefined;
  return await undefinedIfMissing((async () => {
    const file = await openFile(path); // closed by its stream's end
    return new Uint8Array(await new Response(file.readable).arrayBuffer());
  })());
}
