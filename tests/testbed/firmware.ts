/** UEFI, Secure Boot and a TPM for test machines. */
import { ensurePackages } from "./packages.ts";
import { isThere } from "../../agent/machine/files.ts";
import { run } from "./process.ts";
import { Unavailable } from "./unavailable.ts";

/** Keys and certificates of the TPM emulator. A libvirtd that was started before swtpm had a user has written them as root. */
const TPM_AUTHORITY = "/var/lib/swtpm-localca";

/** Why firmware and TPM cannot be tried here, or null: installs them where that is possible. */
export async function noFirmware(): Promise<string | null> {
  try {
    await ensurePackages("ovmf", "swtpm", "swtpm-tools");
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.error(`SKIP firmware: ${error.message}`);
    return error.message;
  }
  if (await isThere(TPM_AUTHORITY)) {
    await run(["chown", "--recursive", `--reference=${TPM_AUTHORITY}`, TPM_AUTHORITY]);
  }
  return null;
}
