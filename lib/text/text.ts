/** Texts that come from elsewhere (names, descriptions, guests' answers) made fit to show. */

/** Longest name that is put into a page; longer ones are cut, the whole is a click away in the XML. */
const LONGEST = 200;

// Controls would break a line or an attribute's tooltip; bidi embeddings and overrides (U+202A–U+202E, U+2066–U+2069)
// could turn the text after them around: "gnp.exe" must not read as "exe.png".
// deno-lint-ignore no-control-regex -- control characters are what is to be made visible
const UNSHOWN = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+/g;

/** One line of text, safe to lay out: control and direction characters become a visible mark, and it is never long. */
export function oneLine(text: string, longest = LONGEST): string {
  const cut = text.length > longest ? text.slice(0, longest).replace(/[\ud800-\udbff]$/, "") + "…" : text;
  return cut.replace(UNSHOWN, "␣");
}

// As above, but breaks of lines and tabs
// deno-lint-ignore no-control-regex -- control characters are what is to be made visible
const UNSHOWN_IN_LINES = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+/g;

/** Text that may have several lines, safe to lay out as {@link oneLine} is. */
export const severalLines = (text: string): string => text.replace(UNSHOWN_IN_LINES, "␣");

/** A name as that of a file: nothing a shell takes for more than that, and no dash at its front, which programs take for an option. */
export function safeFileName(name: string, longest: number): string {
  return name.replaceAll(/[^\w.-]+/g, "_").replace(/^-/, "_").slice(0, longest);
}
