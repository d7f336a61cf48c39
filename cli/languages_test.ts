/** Verbs of the program's own in other languages: neither their help nor what is wrong with a line stays English. */
import assert from "node:assert/strict";
import { COMMANDS } from "../lib/contract/mod.ts";
import { addPseudoTexts, PSEUDO_LOCALE } from "../lib/i18n/pseudo.ts";
import { useLocale } from "../lib/i18n/locale.ts";
import { englishTexts } from "../scripts/texts/english.ts";
import { EXIT } from "./exit.ts";
import { ownVerbs } from "./own_verbs.ts";
import { failed } from "./verb/failure.ts";
import { unfit } from "./verb/common.ts";
import { verbOf } from "./verb/find.ts";
import { usage } from "./verb/overview.ts";

const OWN = ownVerbs(() => Promise.reject(new Error("nothing is served here")));
/** Verbs with English output, as it goes to a service's log. */
const ENGLISH = new Set(["serve"]);

for (const table of Object.values(await englishTexts())) addPseudoTexts(table);
const speakPseudo = () => useLocale(() => PSEUDO_LOCALE);

/** Runs something; gives the lines that it writes to standard error. */
function errorsOf(run: () => void): string {
  const said: string[] = [], { error } = console;
  console.error = (...words: unknown[]) => said.push(words.join(" "));
  try {
    run();
  } finally {
    console.error = error;
  }
  return said.join("\n");
}

/** Words to be typed as they are: commands, options, paths, names of variables, placeholders of values. */
const TYPED =
  /kvm-manager(?: [a-z-]+)*|--?[a-z][\w-]*|\b[A-Z][A-Z_\d]+\b|"[^"]*"|\/[\w./-]+|\b[a-z]+(?:_[a-z]+)+\b/g;

/** Words that no text has given: in the pseudo-locale every vowel of a text has an accent. */
const untranslated = (text: string) =>
  (text.replaceAll(TYPED, "").match(/[\p{L}]{3,}/gu) ?? []).filter((word) =>
    /^[a-z]*[aeiouy][a-z]*$/i.test(word)
  );

Deno.test("the help of every verb of the program's own is made of texts", async () => {
  using _locale = speakPseudo();
  const english: string[] = [];
  let lines = 0;
  for (const [name, verb] of Object.entries(OWN)) {
    if (ENGLISH.has(name)) continue;
    const help = (await verb.load()).help();
    // Behind its last heading are examples, which are typed; how it is written stands in the first paragraph
    const [, ...parts] = help.split("\n\n").filter((part) => !/^⟦Éxámpléš/.test(part));
    const own = parts.join("\n").split("\n").filter((line) =>
      !Object.hasOwn(COMMANDS, line.trim().split(" ")[0]!)
    );
    lines += own.length;
    const left = untranslated(own.join("\n"));
    if (left.length > 0) english.push(`${name}: ${[...new Set(left)].join(" ")}`);
  }
  assert.deepEqual(english, []);
  assert.ok(lines > 150, `${lines} lines`);
});

Deno.test("the page of all verbs says what each does in the shell's language", () => {
  using _locale = speakPseudo();
  const page = usage(OWN);
  for (const name of Object.keys(OWN)) {
    assert.match(page, new RegExp(`^  ${name} +⟦`, "m"), name);
  }
});

/** Arguments that each of the program's own verbs refuses when it parses them. */
const WRONG = [["--nope"], ["--nope=1"], ["one", "two", "three", "four", "five", "six"]] as const;

Deno.test("what is wrong with a line is said in the shell's language, by every verb", async () => {
  using _locale = speakPseudo();
  const english: string[] = [];
  let refusals = 0;
  for (const [name, verb] of Object.entries(OWN)) {
    if (ENGLISH.has(name)) continue;
    const { read } = await verb.load();
    for (const args of WRONG) {
      try {
        read(args);
      } catch (error) {
        refusals++;
        const said = errorsOf(() => assert.equal(failed(error, name.split(" ")), EXIT.usage));
        if (!/: ⟦[^]*⟧/.test(said)) english.push(`${name} ${args.join(" ")}: ${said}`);
      }
    }
  }
  assert.deepEqual(english, []);
  assert.ok(refusals > 2 * Object.keys(OWN).length - 5, `${refusals} lines were refused`);
});

Deno.test("an option that is for other verbs is refused in the shell's language", () => {
  using _locale = speakPseudo();
  const why = unfit(verbOf("start_vm"), { columns: "name" });
  assert.match(why ?? "", /^--columns ⟦/);
});
