/**
 * A small reader for XML that libvirt itself wrote: elements, attributes, text; no namespaces resolved, comments
 * and processing instructions passed over. It is several times faster than a general parser, which matters for a
 * host with a thousand VMs. XML that people or other programs wrote is not read with it.
 */

/** Position of an element in its source, in characters. */
export interface XmlSpan {
  /** Its start tag's `<`. */
  readonly from: number;
  /** After its start tag. */
  readonly inner: number;
  /** Its end tag's `<`; the same as `inner` for `<empty/>`. */
  closing: number;
  /** After its end tag. */
  to: number;
}

/** One element. `text` is its own text, entities resolved. */
export interface XmlElement extends XmlSpan {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlElement[];
  text: string;
}

/** Not well-formed, or something libvirt does not write (a DOCTYPE). `offset` counts characters. */
export class XmlError extends Error {
  override readonly name = "XmlError";
  constructor(message: string, readonly offset: number) {
    super(`${message} at character ${offset}`);
  }
}

const NO_ATTRIBUTES: Readonly<Record<string, string>> = Object.freeze({});
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
  ["apos", "'"],
]);

/** Resolves the five entities of XML and character references. Unknown ones stay as they are. */
export function unescapeXml(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(\w+));/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES.get(name) ?? whole;
    const code = decimal !== undefined ? Number(decimal) : parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** Characters XML 1.0 cannot hold: controls, two non-characters, halves of surrogate pairs. */
const UNHOLDABLE =
  // deno-lint-ignore no-control-regex -- these are the very characters XML 1.0 forbids
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Whether XML 1.0, and with it everything that libvirt keeps, can hold a text. */
export const isHoldable = (text: string): boolean => text.search(UNHOLDABLE) < 0;

/** Escapes text for element content and for quoted attributes; drops characters XML 1.0 cannot hold. */
export function escapeXml(text: string): string {
  return text.replace(UNHOLDABLE, "").replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const isSpace = (code: number) => code === 32 || code === 10 || code === 9 || code === 13;
const SLASH = 47, GREATER = 62, EQUALS = 61, QUOTE = 34, APOSTROPHE = 39;

/** Reads a document. @throws {XmlError} */
export function parseXml(source: string): XmlElement {
  const root: XmlElement = {
    name: "",
    attributes: NO_ATTRIBUTES,
    children: [],
    text: "",
    from: 0,
    inner: 0,
    closing: source.length,
    to: source.length,
  };
  const open: XmlElement[] = [root];
  let at = 0;
  while (true) {
    const tag = source.indexOf("<", at);
    const parent = open[open.length - 1]!;
    const outside = open.length === 1;
    if (outside && source.slice(at, tag < 0 ? undefined : tag).trim() !== "") {
      throw new XmlError("text outside the document's element", at);
    }
    if (tag < 0) break;
    if (tag > at && !outside) parent.text += unescapeXml(source.slice(at, tag));
    const next = source[tag + 1];
    if (next === "/") {
      const end = source.indexOf(">", tag);
      if (outside || end < 0 || source.slice(tag + 2, end).trim() !== parent.name) {
        throw new XmlError("unexpected end tag", tag);
      }
      at = end + 1;
      parent.closing = tag;
      parent.to = at;
      open.pop();
    } else if (next === "?") at = after(source, "?>", tag);
    else if (source.startsWith("<!--", tag)) at = after(source, "-->", tag);
    else if (!outside && source.startsWith("<![CDATA[", tag)) {
      at = after(source, "]]>", tag);
      parent.text += source.slice(tag + 9, at - 3);
    } else if (next === "!") throw new XmlError("a declaration (a document type) is not accepted", tag);
    else at = readTag(source, tag, parent, open);
  }
  const [document] = root.children;
  if (open.length !== 1 || root.children.length !== 1 || !document) {
    throw new XmlError("not one whole element", at);
  }
  return document;
}

function after(source: string, mark: string, from: number): number {
  const found = source.indexOf(mark, from);
  if (found < 0) throw new XmlError(`missing ${mark}`, from);
  return found + mark.length;
}

/** The first place from `at` on that is no white space. */
function afterSpace(source: string, at: number): number {
  while (isSpace(source.charCodeAt(at))) at++;
  return at;
}

/** Reads a start or empty tag at `tag`, adds the element to `parent`, opens it unless empty; gives what follows. */
function readTag(source: string, tag: number, parent: XmlElement, open: XmlElement[]): number {
  let at = tag + 1;
  const start = at;
  let code = source.charCodeAt(at);
  while (code === code && !isSpace(code) && code !== SLASH && code !== GREATER) {
    code = source.charCodeAt(++at);
  }
  const name = source.slice(start, at);
  if (name === "" || name.includes("<")) throw new XmlError("a tag without a name", tag);
  let attributes: Record<string, string> | undefined;
  for (;;) {
    while (isSpace(code)) code = source.charCodeAt(++at);
    if (code !== code) throw new XmlError("a tag without an end", tag);
    if (code === SLASH || code === GREATER) break;
    const key = at;
    while (code === code && code !== EQUALS && !isSpace(code) && code !== GREATER) {
      code = source.charCodeAt(++at);
    }
    const attribute = source.slice(key, at);
    const equals = afterSpace(source, at), value = afterSpace(source, equals + 1);
    const quote = source.charCodeAt(value);
    if (
      attribute === "" || source.charCodeAt(equals) !== EQUALS || (quote !== QUOTE && quote !== APOSTROPHE)
    ) {
      throw new XmlError("a broken attribute", key);
    }
    const end = source.indexOf(quote === QUOTE ? '"' : "'", value + 1);
    if (end < 0) throw new XmlError("an attribute without an end", key);
    attributes ??= Object.create(null) as Record<string, string>;
    attributes[attribute] = unescapeXml(source.slice(value + 1, end));
    at = end + 1;
    code = source.charCodeAt(at);
  }
  const inner = code === GREATER ? at + 1 : at + 2;
  const element: XmlElement = {
    name,
    attributes: attributes ?? NO_ATTRIBUTES,
    children: [],
    text: "",
    from: tag,
    inner,
    closing: inner,
    to: inner,
  };
  parent.children.push(element);
  if (code === GREATER) open.push(element);
  else if (source.charCodeAt(at + 1) !== GREATER) throw new XmlError("a broken tag", tag);
  return inner;
}

/** The first child with this name. */
export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((candidate) => candidate.name === name);
}

/** Every child with this name. */
export function children(element: XmlElement | undefined, name: string): XmlElement[] {
  return element?.children.filter((candidate) => candidate.name === name) ?? [];
}

/**
 * The text of the child with this name, as it is: names and paths may begin and end with blanks. Undefined when there is
 * none or it is empty.
 */
export function childText(element: XmlElement | undefined, name: string): string | undefined {
  return child(element, name)?.text || undefined;
}
