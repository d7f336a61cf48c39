/**
 * The file of a run's results, JSON Lines: what is measured, then each row as it comes, and for each part how it ended.
 * Whenever the bench is cut off, the file has all lines before, and `--resume` goes on behind the last complete part.
 */
import { textIfThere } from "../../scripts/project.ts";
import { holds, type Row } from "./row.ts";
import type { Outcome } from "./run_part.ts";

/** Subject of results: those of other sources, or of fewer rounds, are never compared with these. */
export interface Subject {
  /** Of the binary and of the bench. */
  readonly digest: string;
  readonly quick: boolean;
}

/** One line. */
export type JournalLine =
  | { readonly subject: Subject; readonly begun: string }
  | { readonly part: string; readonly row: Row; readonly holds: boolean | null }
  | {
    readonly part: string;
    readonly ended: Outcome["how"];
    readonly seconds: number;
    readonly reason?: string;
  };

/** Lines of a file; of the last one, which may be cut off, only what is whole. */
export function parseLines(text: string): JournalLine[] {
  return text.slice(0, text.lastIndexOf("\n") + 1).split("\n").filter((line) => line !== "").map((line) =>
    JSON.parse(line)
  );
}

/** The lines of complete parts, by part; none where the file is about something else. */
export function completeParts(
  lines: readonly JournalLine[],
  { digest, quick }: Subject,
): Map<string, JournalLine[]> {
  const [head] = lines;
  if (head === undefined || !("subject" in head)) return new Map();
  if (head.subject.digest !== digest || head.subject.quick !== quick) return new Map();
  const byPart = Map.groupBy(lines.filter((line) => "part" in line), ({ part }) => part);
  return new Map(
    [...byPart].filter(([, each]) => each.some((line) => "ended" in line && line.ended === "complete")),
  );
}

/** The line of a row. */
export const rowLine = (part: string, row: Row): JournalLine => ({ part, row, holds: holds(row) });

/** The file, open for more lines. */
export class Journal implements Disposable {
  private constructor(
    private readonly file: Deno.FsFile,
    /** Parts that were complete when it was opened. */
    readonly complete: ReadonlyMap<string, readonly JournalLine[]>,
  ) {}

  /**
   * Begins the file, with the complete parts of the one that is there when it is to be resumed. Otherwise that one
   * becomes `PATH.before`.
   *
   * @throws {SyntaxError} when it is to be resumed and is no such file
   */
  static async open(path: string, subject: Subject, resume: boolean): Promise<Journal> {
    const text = await textIfThere(path);
    const complete = resume
      ? completeParts(parseLines(text ?? ""), subject)
      : new Map<string, JournalLine[]>();
    if (text !== undefined && complete.size === 0) await Deno.rename(path, `${path}.before`);
    const head: JournalLine = { subject, begun: new Date().toISOString() };
    const lines = [head, ...[...complete.values()].flat()];
    // In one step: a cut here must not cost what was complete
    await Deno.writeTextFile(`${path}.new`, lines.map(textOfLine).join(""));
    await Deno.rename(`${path}.new`, path);
    return new Journal(await Deno.open(path, { append: true }), complete);
  }

  /** Adds a line; it is in the file when this returns. */
  add(line: JournalLine): void {
    const bytes = new TextEncoder().encode(textOfLine(line));
    for (let at = 0; at < bytes.length;) at += this.file.writeSync(bytes.subarray(at));
  }

  [Symbol.dispose](): void {
    this.file.close();
  }
}

/** A line as the file has it. */
export const textOfLine = (line: JournalLine): string => `${JSON.stringify(line)}\n`;
