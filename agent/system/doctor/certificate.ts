/** The certificate that serves, as the file on this host says. */
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { OWN_FILE } from "../certificate/certificates.ts";
import { pemBlocks } from "../certificate/pem.ts";
import type { Settings } from "../../settings.ts";

/** Path and end of a certificate. */
export interface CertificateFile {
  readonly path: string;
  /** ISO 8601. */
  readonly validUntil: string;
}

/** Whether the certificate is our own, of the data folder. */
export const isOwn = ({ tlsCert }: Pick<Settings, "tlsCert">): boolean => tlsCert === "auto";

/**
 * The certificate that the settings name, else our own of the data folder; undefined where there is none.
 *
 * @throws {Deno.errors.PermissionDenied} @throws {Error} for a file that is missing, or holds no certificate
 */
export async function certificateOf(
  { dataDir, tlsCert }: Pick<Settings, "dataDir" | "tlsCert">,
): Promise<CertificateFile | undefined> {
  const path = isOwn({ tlsCert }) ? join(dataDir, OWN_FILE) : tlsCert;
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && isOwn({ tlsCert })) return undefined;
    throw error;
  }
  const [pem] = pemBlocks(text, "CERTIFICATE");
  if (pem === undefined) throw new Error(`${path} holds no certificate`);
  return { path, validUntil: new Date(new X509Certificate(pem).validTo).toISOString() };
}
