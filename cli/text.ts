/** Text for people, as wide as the terminal. */

/** Columns without a terminal, and the most with one: longer lines are hard to read. */
const PLAIN_WIDTH = 80, WIDEST = 120, NARROWEST = 40;

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

/** Parts of a line that stay together: `[--name NAME]`, `'a text'`, a word. */
const PARTS = /(?:\[[^\]]*\]|'[^']*'|"[^"]*"|\S)+/g;

/** Parts in lines, the later ones below each other. @param end of each line but the last */
function packed(first: string, parts: readonly string[], indent: string, width: number, end = ""): string[] {
  const lines = [first];
  for (const part of parts) {
    const last = lines.at(-1)!, isBegun = last !== "" && !last.endsWith(" ");
    const joined = isBegun ? `${last} ${part}` : `${last}${part}`;
    if (joined.length + end.length <= width || !isBegun) lines[lines.length - 1] = joined;
    else lines.push(`${indent}${part}`);
  }
  return lines.map((line, index) => index < lines.length - 1 ? line + end : line);
}

/** A line of usage, in any language: what does not fit goes on below the program's name. Pure but for the width. */
export function usageLines(line: string, width: number = textWidth()): string[] {
  const [, head = "", rest = ""] = /^(.*?(?=kvm-manager )|(?:Usage:|Also:)? *)(.*)$/.exec(line)!;
  return packed(head, rest.match(PARTS) ?? [], " ".repeat(head.length + 2), width);
}

/** A line that can be typed: what does not fit goes on behind a backslash. Pure but for the width. */
export function typedLines(line: string, width: number = textWidth()): string[] {
  const indent = /^ */.exec(line)![0];
  return packed(indent, line.match(PARTS) ?? [], `${indent}    `, width, " \\");
}

/** Whether a line tells how something is written, in any language: `Usage: kvm-manager …`, or what goes on below it. */
const isUsage = (line: string) => /^(Usage|Also):|^ {7}kvm-manager|^\S+ ?[:：] *kvm-manager /.test(line);

/** A line that is laid out: what does not fit goes on below its text. Pure. */
function folded(line: string, width: number): string[] {
  if (line.length <= width) return [line];
  if (isUsage(line)) return usageLines(line, width);
  if (/^ +kvm-manager /.test(line)) return typedLines(line, width);
  const head = /^ *(?:\S+(?: \S+)*? {2,})?/.exec(line)![0];
  const indent = head.length > width / 2 ? /^ */.exec(line)![0] : head;
  return packed(indent, line.slice(indent.length).split(/ +/), " ".repeat(indent.length), width);
}

/**
 * A help text that fits: paragraphs of plain prose are broken again; what is laid out (lists, examples, usage, lines below
 * a title) keeps its lines, of which the long ones go on below.
 */
export function fitted(text: string, width: number = textWidth()): string {
  return text.split("\n\n").map((paragraph) => {
    const lines = paragraph.split("\n");
    const isProse = lines.every((line) => /^\S/.test(line) && !isUsage(line)) &&
      !lines.at(-1)!.endsWith(":");
    return (isProse ? wrapped(lines.join(" "), width) : lines.flatMap((line) => folded(line, width))).join(
      "\n",
    );
  }).join("\n\n");
}

/** A name with the choices of its value, `--series a|b`, in as many lines as they take. */
function choicesOf(name: string, width: number): string[] {
  const lines: string[] = [];
  for (const part of name.split(/(?<=\|)/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + part.length <= width) lines[lines.length - 1] = last + part;
    else lines.push(last === undefined ? part : `      ${part}`);
  }
  return lines;
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
        ? [...choicesOf(`  ${name}`, width), ...first === "" ? [] : [indent + first]]
        : [`  ${name.padEnd(column)}  ${first}`.trimEnd()]),
      ...others.map((line) => indent + line),
    ];
  });
}
