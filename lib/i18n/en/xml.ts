/** Texts of a machine's XML page. */
export const xml = {
  "xml.which": "Configuration",
  "xml.live": "Live",
  "xml.next": "Next start",
  "xml.off": "Configuration of the next start",
  "xml.document": "XML document",
} as const;
