/** Text for people, as wide as the terminal. */

/** Columns without a terminal, and the most with one: longer lines are hard to read. */
const PLAIN_WIDTH = 100, WIDEST = 120, NARROWEST = 40;

/** Columns that a text may take. */
export function textWidth(): number {
  const said = Number(Deno.env.get("COLUMNS"));
  if (said > 0) return Math.max(NARROWEST, said);
  // Through `less` or `head` it is still read on the terminal.
  const isRead = [Deno.stdout, Deno.stderr, Deno.stdin].some((stream) => stream.isTerminal());
  if (!isRead) return PLAIN_WIDTH;
  const { columns } = Deno.consoleSize();
  // A terminal that does not know its size says 0.
  return columns === 0 ? PLAIN_WIDTH : Math.max(NARROWEST, Math.min(WIDEST, columns));
}

/** Lines of a text, none wider than may be unless a word is. Pure. */
export function wrapped(text: string, width: number = textWidth()): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}

/**
 * A help text whose paragraphs fit: those of plain prose are broken anew, what is laid out (lists, examples, usage, lines
 * below a title) stays as it is.
 */
export function fitted(text: string, width: number = textWidth()): string {
  return text.split("\n\n").map((paragraph) => {
    const lines = paragraph.split("\n");
    const isProse = lines.every((line) => /^\S/.test(line) && !/^(Usage|Also):/.test(line)) &&
      !lines.at(-1)!.endsWith(":");
    return isProse ? wrapped(lines.join(" "), width).join("\n") : paragraph;
  }).join("\n\n");
}

/** Widest column of names; a longer name has a line of its own. */
const WIDEST_NAME = 34;

/** Lines of a list: names in one column, what they mean in the other, wrapped. Pure but for the width. */
export function listed(
  rows: readonly (readonly [name: string, text: string])[],
  width: number = textWidth(),
): string[] {
  const names = rows.map(([name]) => name.length).filter((length) => length <= WIDEST_NAME);
  const column = Math.min(Math.max(0, ...names), Math.max(8, Math.floor(width / 2) - 4));
  const indent = " ".repeat(column + 4);
  return rows.flatMap(([name, text]) => {
    const [first = "", ...others] = wrapped(text, Math.max(24, width - indent.length));
    return [
      ...(name.length > column
        ? [`  ${name}`, ...first === "" ? [] : [indent + first]]
        : [`  ${name.padEnd(column)}  ${first}`.trimEnd()]),
      ...others.map((line) => indent + line),
    ];
  });
}
