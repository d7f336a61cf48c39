/** XML cut into tokens to colour. It never fails: what it does not understand is text. */

/** Kind of a piece of a document, for colouring. */
export type XmlTokenKind = "text" | "comment" | "mark" | "tag" | "name" | "value";

/** A piece of the document; all pieces together are the document again. */
export interface XmlToken {
  readonly kind: XmlTokenKind;
  readonly text: string;
}

// One alternative a construct, tried at the place where the last one ended. In a tag (after its name): white space,
// attribute name, "=", quoted value, end.
const OUTSIDE = /<!--[^]*?(?:-->|$)|<!\[CDATA\[[^]*?(?:\]\]>|$)|<[?!][^>]*>?|<\/?[^\s<>/=]+|[^<]+|</y;
const INSIDE = /\s+|\/?>|\?>|=|"[^"]*"?|'[^']*'?|[^\s<>/="']+|\/|</y;

function outsideKind(text: string): XmlTokenKind {
  if (text.startsWith("<!--")) return "comment";
  if (text.startsWith("<![CDATA[")) return "text";
  if (text.startsWith("<?") || text.startsWith("<!")) return "mark";
  return text.startsWith("<") && text.length > 1 ? "tag" : "text";
}

function insideKind(text: string): XmlTokenKind {
  if (/^["']/.test(text)) return "value";
  if (/^\s/.test(text)) return "text";
  return /^[/>=<?]/.test(text) ? "tag" : "name";
}

/** Cuts a document into tokens, in order and without loss. */
export function tokenizeXml(xml: string): XmlToken[] {
  const tokens: XmlToken[] = [];
  let inside = false;
  for (let at = 0; at < xml.length;) {
    const pattern: RegExp = inside ? INSIDE : OUTSIDE;
    pattern.lastIndex = at;
    const text: string = pattern.exec(xml)?.[0] ?? xml.slice(at);
    const kind: XmlTokenKind = inside ? insideKind(text) : outsideKind(text);
    tokens.push({ kind, text });
    inside = inside ? !text.endsWith(">") || kind === "value" : kind === "tag";
    at += text.length;
  }
  return tokens;
}

/** The document's lines, each a list of tokens; a token that spans lines is cut at them. */
export function xmlLines(xml: string): XmlToken[][] {
  const lines: XmlToken[][] = [[]];
  for (const { kind, text } of tokenizeXml(xml.replace(/\r\n?/g, "\n").replace(/\n$/, ""))) {
    text.split("\n").forEach((part, index) => {
      if (index > 0) lines.push([]);
      if (part !== "") lines[lines.length - 1]!.push({ kind, text: part });
    });
  }
  return lines;
}
