/**
 * Bounds of XML that a person wrote, counted before any parser sees it: libxml2 compares every attribute of an element
 * with every other, and every parser keeps a record for each element.
 */

/**
 * Bounds that no domain comes near: the largest that libvirt writes have a dozen attributes and levels, some thousand
 * elements.
 */
export const XML_BOUNDS = { attributes: 100, depth: 100, elements: 20_000 } as const;

/** Message for XML beyond the bounds, and its position: an offset in characters. */
export interface Excess {
  readonly message: string;
  readonly offset: number;
}

const SKIPPED = [["<!--", "-->"], ["<![CDATA[", "]]>"], ["<?", "?>"]] as const;

/** End of a start tag that begins at `from`, its attributes counted; `end` is behind its `>`. */
function scanTag(source: string, from: number): { end: number; attributes: number; isEmpty: boolean } {
  let attributes = 0;
  for (let at = from + 1; at < source.length; at++) {
    const character = source[at]!;
    if (character === ">") return { end: at + 1, attributes, isEmpty: source[at - 1] === "/" };
    if (character === "=") attributes++;
    else if (character === '"' || character === "'") {
      at = source.indexOf(character, at + 1);
      if (at < 0) break;
    }
  }
  return { end: source.length, attributes, isEmpty: true };
}

/**
 * The first thing in a document that is beyond {@link XML_BOUNDS}; null when nothing is. Looks at each character once;
 * what is not well-formed is left to the parser.
 */
export function excessOf(source: string): Excess | null {
  const { attributes: mostAttributes, depth: mostDepth, elements: mostElements } = XML_BOUNDS;
  let depth = 0, elements = 0;
  for (let at = source.indexOf("<"); at >= 0; at = source.indexOf("<", at)) {
    const skipped = SKIPPED.find(([begin]) => source.startsWith(begin, at));
    if (skipped !== undefined) {
      const end = source.indexOf(skipped[1], at + skipped[0].length);
      if (end < 0) return null;
      at = end;
      continue;
    }
    if (source[at + 1] === "/") {
      depth--;
      at++;
      continue;
    }
    const { end, attributes, isEmpty } = scanTag(source, at);
    const beyond = (what: string, is: number, most: number) => ({
      message: `${what} (${is}; at most ${most} are accepted)`,
      offset: at,
    });
    if (attributes > mostAttributes) {
      return beyond("too many attributes on one element", attributes, mostAttributes);
    }
    if (++elements > mostElements) return beyond("too many elements", elements, mostElements);
    if (!isEmpty && ++depth > mostDepth) {
      return beyond("too many elements inside each other", depth, mostDepth);
    }
    at = end;
  }
  return null;
}
