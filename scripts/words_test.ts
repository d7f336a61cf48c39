/** Holds docs/words.md where comments, docstrings, names of tests, English texts and the documents are concerned. */
import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { PROJECT, walk } from "./project.ts";

/** Words, each with a plainer one. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/(?<!")\bnobody\b|\bnobody\b(?!")/i, "no user, no VM, no other program …, or a passive: is not read"],
  [/\banew\b/i, "again"],
  [/\bbeside\b/i, "next to, in addition to, besides, at the same time"],
  [/\btells of\b/i, "reports, names, lists"],
  [/\bwhat is due\b/i, "the runs that are due, the entries that are due …"],
  [/\bwhose they are\b/i, "their owners"],
];

/** Folders that are read: sources in TypeScript and Go, and documents. */
const FOLDERS = [
  "agent",
  "cli",
  "components",
  "docs",
  "ffi",
  "guest",
  "islands",
  "lib",
  "routes",
  "scripts",
  "tests",
];
/** Its table has the words, each with the plainer one; this test has them as samples. */
const WORD_LISTS: ReadonlySet<string> = new Set(["docs/words.md", "scripts/words_test.ts"]);

/** Tables of the English texts. Their string literals are read as well. */
const TEXTS = "lib/i18n/en/";

/** Comments, docstrings and names of tests of a source, each with its line, counted from 1. */
function proseOf(source: string): { readonly line: number; readonly text: string }[] {
  const found = source.matchAll(
    /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/ .*|(?<=\b(?:[tT]est|t\.step)\((?:\{\s*name:)?)\s*[`"].*/gm,
  );
  return [...found].flatMap(({ 0: block, index }) => {
    const first = source.slice(0, index).split("\n").length;
    return block.split("\n").map((text, at) => ({ line: first + at, text }));
  });
}

/** String literals of a source without their quotes, each with its line, counted from 1. */
const literalsOf = (source: string) =>
  linesOfDocument(source).flatMap(({ line, text }) =>
    [...text.matchAll(/"(?:[^"\\]|\\.)*"/g)].map(([literal]) => ({ line, text: literal.slice(1, -1) }))
  );

/** First words of docstrings that begin with a relative clause, each as `line: words`. */
function clausesIn(source: string): string[] {
  const found = source.matchAll(
    /\/\*\*\s(?:\s*\* )?((?:What|Who|Whom|Whose|Where|Whatever|Whoever|Which) .{0,30})/g,
  );
  return [...found].map(({ 1: words, index }) => `${source.slice(0, index).split("\n").length}: ${words}`);
}

/** All lines of a document, counted from 1. */
const linesOfDocument = (source: string) => source.split("\n").map((text, at) => ({ line: at + 1, text }));

/** The words in lines that have a plainer one, as `line: word → plainer`. */
const wrongIn = (lines: readonly { readonly line: number; readonly text: string }[]): string[] =>
  lines.flatMap(({ line, text }) =>
    WORDS.filter(([word]) => word.test(text.replaceAll(/`[^`]*`/g, "")))
      .map(([word, plainer]) => `${line}: ${word.exec(text)?.[0]} → ${plainer}`)
  );

/** Everything in a file of the project that is not in plain terms, as `line: why`. */
function problemsIn(path: string, source: string): string[] {
  if (path.endsWith(".md")) return wrongIn(linesOfDocument(source));
  return [
    ...wrongIn(proseOf(source)),
    ...wrongIn(path.startsWith(TEXTS) ? literalsOf(source) : []),
    ...clausesIn(source).map((each) => `${each}: begin with a noun or a verb`),
  ];
}

Deno.test("problemsIn() finds words in comments, docstrings and names of tests, and none in code", () => {
  const inSource = (source: string) => problemsIn("lib/a.ts", source);
  assert.equal(inSource("// Nobody reads it").length, 1);
  assert.equal(inSource("/**\n * A file\n * beside it.\n */")[0]?.slice(0, 9), "3: beside");
  assert.equal(inSource('Deno.test("x tells of y", () => {});').length, 1);
  assert.equal(inSource('Deno.test("nobody reads it", () => {});').length, 1);
  assert.equal(inSource('Deno.test({\n  name: "x lies beside y",').length, 1);
  assert.equal(inSource('await t.step(\n  "x lies beside y",').length, 1);
  assert.equal(inSource("// Nobody\n\n\tcall() // beside it").length, 2);
  assert.deepEqual(problemsIn("docs/a.md", "It lies\nbeside it: `beside`."), [
    "2: beside → next to, in addition to, besides, at the same time",
  ]);
  assert.deepEqual(inSource('const beside = "nobody"; // as "nobody", `beside`'), []);
});

Deno.test("problemsIn() finds words in English texts, also where another one is on the line", () => {
  const table =
    'export const a = {\n  "a.b": "Nobody is \\"here\\"", "a.c": "It tells of it",\n  "a.nobody": "None",\n};';
  assert.deepEqual(problemsIn("lib/i18n/en/a.ts", table).map((each) => each.slice(0, 11)), [
    "2: Nobody →",
    "2: tells of",
    "3: nobody →",
  ]);
});

Deno.test("clausesIn() finds docstrings that begin with a relative clause", () => {
  assert.deepEqual(clausesIn("/** Who asks. */"), ["1: Who asks. */"]);
  assert.equal(clausesIn("\n/**\n * What a mount needs.\n *\n * @param x */").length, 1);
  assert.deepEqual(clausesIn("/** Folder.\n * Where it is full, … */ // What"), []);
});

Deno.test("comments, docstrings, names of tests, English texts and documents are in plain terms (docs/words.md)", async () => {
  const entries = (await Promise.all(FOLDERS.map((folder) => walk(join(PROJECT, folder))))).flat();
  const sources = entries.filter(({ isFile, path }) => isFile && /\.(tsx?|go|md)$/.test(path))
    .map(({ path }) => relative(PROJECT, path)).filter((path) => !WORD_LISTS.has(path));
  assert.ok(sources.length > 500, "the sources were not found");
  const wrong: string[] = [];
  for (const path of sources) {
    const found = problemsIn(path, await Deno.readTextFile(join(PROJECT, path)));
    wrong.push(...found.map((each) => `${path}:${each}`));
  }
  assert.deepEqual(wrong, []);
});
