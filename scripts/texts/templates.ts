/** Finds templates of messages in sources. */

/** The English text of each tagged template `message` in a source, with `{0}`, `{1}` … for its values. */
export function templatesIn(source: string): string[] {
  const found: string[] = [];
  for (const { index } of source.matchAll(/\bmessage`/g)) {
    found.push(templateAt(source, index + "message`".length));
  }
  return found;
}

/** The template that begins at a place: up to its back-tick. */
function templateAt(source: string, begin: number): string {
  let text = "", values = 0, at = begin;
  for (; at < source.length && source[at] !== "`"; at++) {
    if (source[at] === "\\") text += source[++at] === "n" ? "\n" : source[at];
    else if (source.startsWith("${", at)) {
      at = endOfValue(source, at + 2);
      text += `{${values++}}`;
    } else text += source[at];
  }
  if (at >= source.length) throw new Error("a template has no end");
  return text;
}

/** Where the brace is that ends a value. */
function endOfValue(source: string, begin: number): number {
  let depth = 1, at = begin;
  while (true) {
    const character = source[at];
    if (character === undefined) throw new Error("a value in a template has no end");
    if (character === "`") at = endOfTemplate(source, at + 1);
    else if (character === '"' || character === "'") at = endOfString(source, at);
    else if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return at;
    at++;
  }
}

function endOfTemplate(source: string, begin: number): number {
  let at = begin;
  for (; source[at] !== "`"; at++) {
    if (source[at] === undefined) throw new Error("a template has no end");
    if (source[at] === "\\") at++;
    else if (source.startsWith("${", at)) at = endOfValue(source, at + 2);
  }
  return at;
}

function endOfString(source: string, begin: number): number {
  let at = begin + 1;
  for (; source[at] !== source[begin]; at++) {
    if (source[at] === undefined || source[at] === "\n") throw new Error("a text has no end");
    if (source[at] === "\\") at++;
  }
  return at;
}
