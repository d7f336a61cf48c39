/** Making XML from values: every value is escaped, nothing is pasted. */
import { escapeXml, type XmlElement } from "./tree.ts";

/** An element to be written. */
export interface XmlNode {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly content: readonly (XmlNode | string)[];
}

type Attribute = string | number | boolean | undefined;
/** Content of an element: `undefined` and `false` hold the place of absent content. */
export type XmlContent = XmlNode | string | number | undefined | false | readonly XmlContent[];

const NAME = /^[A-Za-z_][\w.:-]*$/;

/**
 * An element. Attributes that are undefined are left out; `true` and `false` are written as libvirt's `yes` and `no`.
 *
 * @throws {TypeError} for a name that is none: names come from the program, never from people
 */
export function xml(
  name: string,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...content: readonly XmlContent[]
): XmlNode {
  const written: Record<string, string> = {};
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    if (!NAME.test(key)) throw new TypeError(`${JSON.stringify(key)} is no attribute name`);
    written[key] = typeof value === "boolean" ? value ? "yes" : "no" : String(value);
  }
  if (!NAME.test(name)) throw new TypeError(`${JSON.stringify(name)} is no element name`);
  return { name, attributes: written, content: flatten(content) };
}

function flatten(content: readonly XmlContent[]): (XmlNode | string)[] {
  return content.flatMap((each): (XmlNode | string)[] => {
    if (each === undefined || each === false) return [];
    if (typeof each === "string" || typeof each === "number") return [String(each)];
    return "name" in each ? [each] : flatten(each);
  });
}

/** An element that was read, to be written elsewhere. */
export const nodeOf = ({ name, attributes, children, text }: XmlElement): XmlNode => ({
  name,
  attributes,
  content: children.length > 0 ? children.map(nodeOf) : text === "" ? [] : [text],
});

/** Writes an element as libvirt does: two blanks a level, single quotes; an element with text stays on its line. */
export function renderXml(node: XmlNode, indent = ""): string {
  const attributes = Object.entries(node.attributes).map(([key, value]) => ` ${key}='${escapeXml(value)}'`);
  const start = `${indent}<${node.name}${attributes.join("")}`;
  if (node.content.length === 0) return `${start}/>`;
  if (node.content.some((each) => typeof each === "string")) {
    const inside = node.content.map((each) => typeof each === "string" ? escapeXml(each) : renderXml(each));
    return `${start}>${inside.join("")}</${node.name}>`;
  }
  const inside = node.content.map((each) => renderXml(each as XmlNode, `${indent}  `));
  return `${start}>\n${inside.join("\n")}\n${indent}</${node.name}>`;
}
