/** Texts in HTML. Pure. */

/** Escapes a text for an element's content and for an attribute in quotes. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** The text that was escaped, by {@link escapeHtml} or by the renderer. */
export const unescapeHtml = (text: string): string =>
  text.replace(
    /&(?:#(\d{1,6})|(lt|gt|amp|quot|apos));/g,
    (_whole, code: string | undefined, name: string) =>
      code === undefined ? ENTITIES[name]! : String.fromCodePoint(Number(code)),
  );
