/** The head of an answer that is saved as a file (RFC 6266). Pure. */

/**
 * `Content-Disposition` for a file of this name: as it is for all programs of today (RFC 8187), and for others in ASCII,
 * with `_` for what they could misread. Some take `%41` for an escape.
 */
export function attachment(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|[%"\\]/gu, "_");
  const exact = encodeURIComponent(name.toWellFormed())
    .replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}

/** The name of the file in such a head; empty where it has none. One that is not encoded rightly has the one in ASCII. */
export function attachmentName(head: string): string {
  const [, exact] = /filename\*=UTF-8''([^;]+)/i.exec(head) ?? [],
    [, plain = ""] = /filename="([^"]*)"/.exec(head) ?? [];
  try {
    return exact === undefined ? plain : decodeURIComponent(exact);
  } catch {
    return plain;
  }
}
