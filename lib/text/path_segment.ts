/**
 * Names of other people's making as one step of a page's address, and back. A name that would lead elsewhere – to a page
 * next to it, or up – is marked with `=`, as is one that begins with it. Pure.
 */

/** Steps that every address takes for itself (RFC 3986, 5.2.4). */
const DOTS: ReadonlySet<string> = new Set([".", ".."]);

/** @param pages names of the pages next to it: `new` */
export function segmentOf(name: string, pages: readonly string[] = []): string {
  const isMarked = DOTS.has(name) || pages.includes(name) || name.startsWith("=");
  return `${isMarked ? "=" : ""}${encodeURIComponent(name)}`;
}

/** @param segment as a route has it: decoded */
export function nameIn(segment: string): string {
  return segment.startsWith("=") ? segment.slice(1) : segment;
}
