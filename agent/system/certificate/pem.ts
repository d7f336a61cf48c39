/** PEM texts (RFC 7468): what stands outside their blocks is left out. */

/** The blocks whose label ends so, each whole. */
export function pemBlocks(text: string, label: "CERTIFICATE" | "PRIVATE KEY"): string[] {
  const block = new RegExp(`-----BEGIN ((?:[A-Z]+ )*${label})-----[^-]*-----END \\1-----`, "g");
  return text.match(block) ?? [];
}
