/** Certificates that no trusted authority has signed. */

export { shownFingerprint } from "../../lib/text/fingerprint.ts";

/** The server's certificate is not one to trust. */
export class UntrustedError extends Error {
  override readonly name = "UntrustedError";
  /** @param fingerprint of the certificate that was shown, 64 hexadecimal digits */
  constructor(message: string, readonly fingerprint: string) {
    super(message);
  }
}
