/**
 * Domain XML that a person wrote: what is refused before any parser of libvirt's sees it, what must stay as it is, and
 * a version of it that libvirt examines wholly and then cannot accept.
 */
import { isCanonical, plainText } from "../../text/byte_text.ts";
import { excessOf } from "./bounds.ts";
import { XmlDocument } from "./edit.ts";
import { lineOf } from "./locate.ts";
import { child, children, escapeXml, type XmlElement, XmlError } from "./tree.ts";

/** Something wrong with a document, and where: `line` from 1. */
export interface XmlFault {
  readonly message: string;
  readonly line?: number;
}

/** Characters that XML 1.0 cannot hold, except halves of surrogate pairs, which the `u` flag tells. */
// deno-lint-ignore no-control-regex -- these are the very characters XML 1.0 forbids
const UNHOLDABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\ud800-\udfff]/u;
/** Text that could spell a byte (lib/text/byte_text.ts). */
const MARK = /\ufffd[89a-f][0-9a-f]/;
const DECLARATION = /<!(?!--|\[CDATA\[)/;
const ENCODING = /^\s*<\?xml[^>]*\bencoding\s*=\s*["']([^"']*)["']/;

/**
 * Refuses XML that no domain needs and that could harm a parser: sizes beyond the bounds, document types (entities of
 * all kinds), encodings that could hide one, characters that XML has not.
 */
export function refusedOutright(source: string): XmlFault | null {
  const excess = excessOf(source);
  if (excess) return { message: excess.message, line: lineOf(source, excess.offset) };
  const odd = UNHOLDABLE.exec(source);
  if (odd) {
    return { message: "XML cannot hold this character", line: lineOf(source, odd.index) };
  }
  const spelled = MARK.exec(source);
  if (spelled && (!isCanonical(source) || plainText(source) === undefined)) {
    const message = "U+FFFD and two digits stand for a byte that XML cannot hold";
    return { message, line: lineOf(source, spelled.index) };
  }
  const declared = DECLARATION.exec(source);
  if (declared) {
    return { message: "a document type (<!…>) is not accepted", line: lineOf(source, declared.index) };
  }
  const encoding = ENCODING.exec(source)?.[1];
  if (encoding !== undefined && !/^utf-?8$/i.test(encoding)) {
    return { message: `the encoding ${encoding.slice(0, 40)} is not accepted, only UTF-8`, line: 1 };
  }
  return null;
}

/** Reads a document a person wrote. @throws never: a fault is given */
export function readDomain(source: string): { document: XmlDocument } | { fault: XmlFault } {
  const refused = refusedOutright(source);
  if (refused) return { fault: refused };
  try {
    const document = new XmlDocument(source);
    const { root } = document;
    if (root.name !== "domain") {
      const line = lineOf(source, root.from);
      return { fault: { message: `the document must be a <domain>, not a <${root.name}>`, line } };
    }
    const twice = ["name", "uuid"].map((name) => children(root, name)[1]).find((second) => second);
    if (twice === undefined) return { document };
    return { fault: { message: `<${twice.name}> is there twice`, line: lineOf(source, twice.from) } };
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    const { message, offset } = error;
    return { fault: { message: message.replace(/ at character \d+$/, ""), line: lineOf(source, offset) } };
  }
}

/** The one child of this name; undefined when there is none or more than one, so that it is not clear which counts. */
export function onlyChild(element: XmlElement, name: string): XmlElement | undefined {
  const found = children(element, name);
  return found.length === 1 ? found[0] : undefined;
}

/** A name with a line break in it, which libvirt always refuses. */
export const unacceptableName = (name: string) => `${name}\n.`;

/**
 * The same domain under a name that is none. libvirt parses and validates a domain completely before it
 * looks for line breaks in its name, and refuses those always: so it tells whatever is wrong with the XML, and can
 * not define it. (Source: qemuDomainDefineXMLFlags: virDomainDefParseString, then virXMLCheckIllegalChars.) The
 * UUID stays the VM's own: under another name libvirt would refuse that, too.
 */
export function trialXml(document: XmlDocument, name: string): string {
  const element = child(document.root, "name");
  if (element === undefined) throw new TypeError("the document has no name to replace");
  const source = document.toString();
  return source.slice(0, element.from) + `<name>${escapeXml(unacceptableName(name))}</name>` +
    source.slice(element.to);
}

/** libvirt's refusal of the name alone: everything else was right. The second is its test driver's. */
const NAME_REFUSED = /invalid char in name|is already defined with uuid/;

/** Fault that libvirt found in a trial; null when it has nothing against the XML but the name. */
export function trialFault(said: string | null, source: string): XmlFault | null {
  if (said === null || NAME_REFUSED.test(said)) return null;
  const line = lineFrom(said, source);
  return { message: said, ...(line !== undefined && { line }) };
}

/**
 * The line that an error text of libvirt's is about: the one it says, or else the one line that holds a value it
 * quotes. Undefined when that is not one line.
 */
export function lineFrom(said: string, source: string): number | undefined {
  const told = /\(domain_definition\):(\d+):/.exec(said)?.[1];
  if (told !== undefined) return Number(told);
  for (const [, quoted] of said.matchAll(/'([^']+)'/g)) {
    const value = escapeXml(quoted!);
    const places = [`'${value}'`, `"${value}"`, `>${value}<`].flatMap((text) => {
      const at = source.indexOf(text);
      return at < 0 ? [] : source.indexOf(text, at + 1) < 0 ? [at] : [at, at];
    });
    if (places.length === 1) return lineOf(source, places[0]!);
  }
  return undefined;
}
