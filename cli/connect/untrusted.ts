/** Certificates that nobody vouches for. */

/** SHA-256 of a certificate, as people compare it: `AB:CD:…`. */
export function shownFingerprint(digits: string): string {
  return digits.toUpperCase().match(/../g)!.join(":");
}

/** The server's certificate is not one to trust. */
export class UntrustedError extends Error {
  override readonly name = "UntrustedError";
  /** @param fingerprint of the certificate that was shown, 64 hexadecimal digits */
  constructor(message: string, readonly fingerprint: string) {
    super(message);
  }
}
