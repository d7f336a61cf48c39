/** Writing libvirt XML for tests, on purpose without the product's own writer. */

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Markup that may go into other markup as it is. */
export class Markup {
  constructor(readonly text: string) {}
  toString(): string {
    return this.text;
  }
}

type Value = string | number | Markup | readonly Markup[];

/**
 * A template of XML in which every value is escaped, unless it is {@link Markup} itself.
 *
 * Not called `xml`: deno fmt would lay out what it takes for a document of its own, and blanks count here.
 *
 * @throws {TypeError} for characters that XML 1.0 cannot hold at all (most control characters, lone surrogates)
 */
export function markup(parts: TemplateStringsArray, ...values: Value[]): Markup {
  const texts = values.map((value) => {
    if (value instanceof Markup) return value.text;
    return typeof value === "object" ? value.join("") : escape(String(value));
  });
  return new Markup(parts.reduce((before, part, index) => before + texts[index - 1] + part));
}

/** No markup at all. */
export const NOTHING = new Markup("");

function escape(text: string): string {
  // deno-lint-ignore no-control-regex -- these are what XML 1.0, production 2 (Char), leaves out
  if (/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(text) || !text.isWellFormed()) {
    throw new TypeError(`XML cannot hold ${JSON.stringify(text)}`);
  }
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
