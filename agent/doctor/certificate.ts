/** The certificate that serves, as the file on this host says. */
import { X509Certificate } from "node:crypto";
import { join } from "node:path";

/** What of a certificate matters for its end. */
export interface CertificateFacts {
  readonly path: string;
  /** ISO 8601. */
  readonly validUntil: string;
}

/** Name of the certificate that KVM Manager made itself, in the data folder. */
const OWN = "tls.pem";

/**
 * The certificate of a data folder, or the one the settings name; undefined where there is none.
 *
 * @throws {Deno.errors.PermissionDenied} @throws {Error} for a file that holds no certificate
 */
export async function certificateOf(dataDir: string, named?: string): Promise<CertificateFacts | undefined> {
  const path = named ?? join(dataDir, OWN);
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && named === undefined) return undefined;
    throw error;
  }
  const [pem] = /-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/.exec(text) ?? [];
  if (pem === undefined) throw new Error(`${path} holds no certificate`);
  return { path, validUntil: new Date(new X509Certificate(pem).validTo).toISOString() };
}
