/** Checks that command lines, options, pages and tabs named in the program's texts exist. */
import assert from "node:assert/strict";
import { DESTINATIONS } from "../components/shell/navigation.ts";
import { t } from "../lib/i18n/mod.ts";
import { VM_TABS } from "../lib/vm/tabs.ts";
import { sourceTexts } from "../tests/testbed/advice.ts";
import { findOwn } from "./own_verb.ts";
import { ownVerbs } from "./own_verbs.ts";
import { helpOfVerb } from "./verb/help.ts";
import { findVerb } from "./verb/find.ts";

/** Folders whose texts people read. */
const FOLDERS = ["agent", "lib", "components", "islands", "routes"] as const;
/** Sources with the program's name in what is no line to type. */
const NO_LINES = /^(?:agent\/backups\/sealed_codec|lib\/i18n\/en\/reference)\.ts$/;
const OWN = ownVerbs(() => Promise.reject(new Error("nothing is served here")));
/** A line for this program within a text: to the end of the sentence, of the quotes or of the brackets. */
const LINES = /\bkvm-manager ((?:[a-z]|--)[a-z-]*(?: [^\s"'`();,|]+)*)/g;

/** Problem of a command line; undefined if it is valid. */
async function faultOf(line: string): Promise<string | undefined> {
  const words = line.replace(/[.:]+$/, "").split(" ");
  const own = findOwn(OWN, words), verb = own === undefined ? findVerb(words)?.verb : undefined;
  if (own === undefined && verb === undefined) return "no such command";
  const help = own === undefined ? helpOfVerb(verb!) : (await own.verb.load()).help();
  const missing = words.filter((word) => word.startsWith("--") && word !== "--help")
    .map((word) => word.split("=")[0]!).filter((option) => !help.includes(option));
  return missing.length === 0 ? undefined : `no ${missing.join(", ")}`;
}

Deno.test("each command that a text names is there, with its options", async () => {
  const texts = await sourceTexts(FOLDERS, NO_LINES, (text) => text.match(LINES) !== null);
  const lines = texts.flatMap(({ file, text }) =>
    [...text.matchAll(LINES)].map(([, line]) => ({ file, line }))
  );
  assert.ok(lines.length >= 60, `only ${lines.length} were found`);
  const wrong: string[] = [];
  for (const { file, line } of lines) {
    const fault = await faultOf(line!);
    if (fault !== undefined) wrong.push(`${file}: kvm-manager ${line}: ${fault}`);
  }
  assert.deepEqual(wrong, []);
});

Deno.test("each page and tab that a text names is there", async () => {
  const named = /\b(page|tab) ((?:[A-Z][\w-]+)(?: [A-Z]\w+)*)/g;
  const labels = {
    page: [...DESTINATIONS.map(({ label }) => t(label)), "Health"],
    tab: VM_TABS.map(({ label }) => t(label)),
  };
  const texts = await sourceTexts(FOLDERS, /^$/, (text) => text.match(named) !== null);
  assert.ok(texts.length >= 5, `only ${texts.length} were found`);
  const wrong = texts.flatMap(({ file, text }) =>
    [...text.matchAll(named)].filter(([, kind, label]) => !labels[kind as "page" | "tab"].includes(label!))
      .map(([words]) => `${file}: ${words}`)
  );
  assert.deepEqual(wrong, []);
});
