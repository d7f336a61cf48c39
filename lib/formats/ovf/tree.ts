/** An OVF's elements without their namespaces: each program writes other prefixes for the same. */
import { excessOf } from "../xml/bounds.ts";
import { parseXml, type XmlElement, XmlError } from "../xml/tree.ts";
import { OvfError } from "./model.ts";

/** Characters of the longest description taken. */
export const MAX_OVF = 2 * 1024 * 1024;

const local = (name: string) => name.slice(name.indexOf(":") + 1);

/** Kind of an element: older dialects have it in the type. */
function kindOf({ name, attributes }: XmlElement): string {
  const own = local(name);
  if (own !== "Section" && own !== "Content") return own;
  const type = Object.entries(attributes).find(([key]) => local(key) === "type")?.[1] ?? "";
  return local(type).replace(/_Type$/, "");
}

/** Its parts of a kind. */
export const parts = (element: XmlElement | undefined, kind: string): XmlElement[] =>
  element?.children.filter((child) => kindOf(child) === kind) ?? [];

/** Its first part of a kind. */
export const part = (element: XmlElement | undefined, kind: string): XmlElement | undefined =>
  parts(element, kind)[0];

/** The text of its first part of a kind; undefined when there is none. */
export const partText = (element: XmlElement | undefined, kind: string): string | undefined =>
  part(element, kind)?.text.trim() || undefined;

/** The attribute of this local name. */
export const attribute = (element: XmlElement | undefined, name: string): string | undefined =>
  Object.entries(element?.attributes ?? {}).find(([key]) => local(key) === name)?.[1];

/**
 * Reads a description. Document types are refused, so that nothing outside it is ever read.
 *
 * @throws {OvfError}
 */
export function readTree(text: string): XmlElement {
  if (text.length > MAX_OVF) throw new OvfError("its description is longer than 2 MiB");
  const source = text.replace(/^\ufeff/, "");
  const excess = excessOf(source);
  if (excess !== null) throw new OvfError(excess.message);
  try {
    return parseXml(source);
  } catch (error) {
    if (error instanceof XmlError) throw new OvfError(`its description is no XML: ${error.message}`);
    throw error;
  }
}
