/** Puts the stylesheet and what it imports into one file: a page needs one request for it. */
import { dirname, join } from "node:path";
import { CACHE_KEY } from "../lib/fresh/runtime.ts";

/** The one form of import our stylesheets use: `@import url("./x.css") layer(name);`. */
const IMPORT = /@import\s+url\("(\.[^"]+)"\)(?:\s+layer\(([\w.-]+)\))?\s*;/g;
const COMMENT = /\/\*[^]*?\*\//g;

/**
 * The text of a stylesheet with its imports in their place, each in its layer.
 *
 * @throws {Error} for an import of another form: it would silently be a second request
 */
export async function bundleStyles(path: string): Promise<string> {
  const text = (await Deno.readTextFile(path)).replace(COMMENT, "");
  const parts: string[] = [];
  let at = 0;
  for (const match of text.matchAll(IMPORT)) {
    const inner = await bundleStyles(join(dirname(path), match[1]!));
    parts.push(text.slice(at, match.index), match[2] === undefined ? inner : `@layer ${match[2]}{${inner}}`);
    at = match.index + match[0].length;
  }
  parts.push(text.slice(at));
  const whole = parts.join("").replace(/\s*\n\s*/g, "\n").trim();
  if (/@import\b/.test(whole)) {
    throw new Error(`${path} has an @import of another form than @import url("./x.css") layer(name);`);
  }
  return whole;
}

const FONT = /url\("(\.\.\/fonts\/[\w.-]+)"\)/g;

/** Gives fonts in a stylesheet the addresses that `asset()` makes: a browser asks for each once, and pages begin with them. */
export const withBuild = (styles: string, build: string): string =>
  styles.replace(FONT, `url("$1?${CACHE_KEY}=${build}")`);
