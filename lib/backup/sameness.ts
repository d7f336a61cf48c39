/** Elements of two definitions, compared. Pure. */
import type { XmlElement } from "../formats/xml/tree.ts";

/** An element as text that is the same for the same content, however it is written. */
export function sameness({ name, attributes, text, children: parts }: XmlElement): string {
  const own = Object.entries(attributes).sort(([a], [b]) => a < b ? -1 : 1);
  return JSON.stringify([name, own, text.trim(), parts.map(sameness)]);
}
