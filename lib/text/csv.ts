/** Tables as text for spreadsheets and scripts (RFC 4180). */

/** One value of a row. What a spreadsheet would take for a formula is made text (OWASP); a number is none. */
export function csvField(value: unknown): string {
  if (typeof value === "number") return String(value);
  const plain = value === null || value === undefined ? "" : String(value);
  const safe = /^[=+\-@\t\r]/.test(plain) ? `'${plain}` : plain;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A row, with its end. */
export function csvRow(values: readonly unknown[]): string {
  return `${values.map(csvField).join(",")}\r\n`;
}
