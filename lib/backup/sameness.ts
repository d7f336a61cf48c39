/** Elements of two definitions, compared and copied. Pure. */
import { xml, type XmlNode } from "../formats/xml/build.ts";
import type { XmlElement } from "../formats/xml/tree.ts";

/** An element as text that is the same for the same content, however it is written. */
export function sameness({ name, attributes, text, children: parts }: XmlElement): string {
  const own = Object.entries(attributes).sort(([a], [b]) => a < b ? -1 : 1);
  return JSON.stringify([name, own, text.trim(), parts.map(sameness)]);
}

/** An element as it is, to be put into another document. */
export const copyOf = ({ name, attributes, text, children: parts }: XmlElement): XmlNode =>
  xml(name, attributes, text.trim() || false, parts.map(copyOf));
