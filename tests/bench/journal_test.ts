import assert from "node:assert/strict";
import { completeParts, Journal, type JournalLine, parseLines, rowLine, type Subject } from "./journal.ts";
import { alone } from "./row.ts";

const SUBJECT: Subject = { digest: "abc", quick: true };
const row = (part: string, what: string) => rowLine(part, alone({ what, ours: [1], aim: { most: 2 } }));
const end = (part: string, ended: "complete" | "late") => ({ part, ended, seconds: 3 }) as const;
const HEAD: JournalLine = { subject: SUBJECT, begun: "2026-01-01T00:00:00.000Z" };

/** Runs with a path in a folder that is removed afterwards. */
async function withPath(body: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(`${folder}/bench.jsonl`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const linesOf = async (path: string) => parseLines(await Deno.readTextFile(path));

Deno.test("parseLines() leaves out a last line that was cut off", () => {
  assert.deepEqual(parseLines(""), []);
  assert.deepEqual(parseLines(`${JSON.stringify(HEAD)}\n{"part":"lists","ro`), [HEAD]);
});

Deno.test("completeParts() gives the parts that came to their end, of the same subject alone", () => {
  const lines = [
    HEAD,
    row("a", "one"),
    end("a", "complete"),
    row("b", "two"),
    end("b", "late"),
    row("c", "three"),
  ];
  assert.deepEqual(completeParts(lines, SUBJECT), new Map([["a", [row("a", "one"), end("a", "complete")]]]));
  for (const other of [{ ...SUBJECT, digest: "abd" }, { ...SUBJECT, quick: false }]) {
    assert.equal(completeParts(lines, other).size, 0);
  }
  assert.equal(completeParts([], SUBJECT).size, 0);
  assert.equal(completeParts(lines.slice(1), SUBJECT).size, 0);
});

Deno.test("a journal has each line at once, and goes on behind its complete parts", () =>
  withPath(async (path) => {
    {
      using journal = await Journal.open(path, SUBJECT, true);
      assert.equal(journal.complete.size, 0);
      for (const line of [row("a", "one"), end("a", "complete"), row("b", "half")]) journal.add(line);
      assert.deepEqual((await linesOf(path)).slice(1), [
        row("a", "one"),
        end("a", "complete"),
        row("b", "half"),
      ]);
    }
    await Deno.writeTextFile(path, '{"part":"b"', { append: true }); // cut off
    using journal = await Journal.open(path, SUBJECT, true);
    assert.deepEqual([...journal.complete.keys()], ["a"]);
    journal.add(row("b", "whole"));
    assert.deepEqual((await linesOf(path)).slice(1), [
      row("a", "one"),
      end("a", "complete"),
      row("b", "whole"),
    ]);
  }));

Deno.test("a journal of other sources, or one that is not resumed, is kept next to the new one", () =>
  withPath(async (path) => {
    const begin = async (subject: Subject, resume: boolean) => {
      using journal = await Journal.open(path, subject, resume);
      journal.add(row("a", subject.digest));
      journal.add(end("a", "complete"));
      return journal.complete.size;
    };
    assert.equal(await begin(SUBJECT, true), 0);
    assert.equal(await begin(SUBJECT, false), 0);
    assert.equal(await begin({ ...SUBJECT, digest: "new" }, true), 0);
    const whats = (lines: JournalLine[]) => lines.flatMap((line) => "row" in line ? [line.row.what] : []);
    assert.deepEqual(whats(await linesOf(path)), ["new"]);
    assert.deepEqual(whats(await linesOf(`${path}.before`)), ["abc"]);
  }));

Deno.test("a file that is no journal is not resumed", () =>
  withPath(async (path) => {
    await Deno.writeTextFile(path, "[\n");
    await assert.rejects(Journal.open(path, SUBJECT, true), SyntaxError);
    assert.equal(await Deno.readTextFile(path), "[\n");
  }));
