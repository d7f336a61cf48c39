/** Verbs of the program's own in other languages: neither their help nor what is wrong with a line stays English. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { SETTINGS } from "../agent/settings.ts";
import { COMMANDS } from "../lib/contract/mod.ts";
import { addPseudoTexts, PSEUDO_LOCALE } from "../lib/i18n/pseudo.ts";
import { useLocale } from "../lib/i18n/locale.ts";
import { englishTexts } from "../scripts/texts/english.ts";
import { PROJECT } from "../scripts/project.ts";
import { EXIT } from "./exit.ts";
import { manualPage } from "./man.ts";
import { ownVerbs } from "./own_verbs.ts";
import { readServe } from "./serve.ts";
import { failed } from "./verb/failure.ts";
import { unfit } from "./verb/common.ts";
import { verbOf } from "./verb/find.ts";
import { usage } from "./verb/overview.ts";

const OWN = ownVerbs(() => Promise.reject(new Error("nothing is served here")));
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

/** Values of the settings of `serve`: words that are typed. */
const SETTING_VALUES = new Set(
  Object.values(SETTINGS).flatMap((row) => [
    ...row.value.split("|"),
    row.default({ root: true, env: () => undefined }),
  ]),
);

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
    const help = (await verb.load()).help();
    // Behind its last heading are examples, which are typed; how it is written stands in the first paragraph
    const [, ...parts] = help.split("\n\n").filter((part) => !/^⟦Éxámpléš/.test(part));
    const own = parts.join("\n").split("\n").filter((line) =>
      !Object.hasOwn(COMMANDS, line.trim().split(" ")[0]!)
    );
    lines += own.length;
    const left = untranslated(own.join("\n")).filter((word) => !SETTING_VALUES.has(word));
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

Deno.test("the manual page is made of texts: headings, commands, exit statuses, variables", async () => {
  using _locale = speakPseudo();
  const helps = await Promise.all(
    Object.entries(OWN).map(async ([name, { load }]) => [name, (await load()).help()] as const),
  );
  const page = manualPage(helps);
  const headings = [...page.matchAll(/^\.SH (.+)$/gm)].map(([, heading]) => heading!);
  assert.ok(headings.length >= 9, `${headings.length} headings`);
  assert.deepEqual(headings.filter((heading) => !/^⟦.*⟧$/.test(heading)), []);
  for (const line of ["kvm\\-manager \\- ⟦", "⟦Rólé: operator."]) assert.ok(page.includes(line), line);
  // A tagged paragraph of a section: its text stands below its tag
  for (const tag of ["KVMM_TOKEN", "NO_COLOR", "KVMM_LISTEN", "130", "/etc/kvm\\-manager/config.toml"]) {
    const [, text] = page.split(`\n.TP\n\\fB${tag}\\fR\n`);
    assert.match(text ?? "", /^⟦/, tag);
  }
});

/** Runs the program in German; gives what it printed, and its exit status. */
async function inGerman(...args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", join(PROJECT, "main.ts"), ...args],
    env: { LC_ALL: "de_DE.UTF-8", NO_COLOR: "1", COLUMNS: "200" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

Deno.test("serve says in the shell's language what is wrong with its line", async () => {
  const { code, out, err } = await inGerman("serve", "--lisen", "x");
  assert.match(err, /^kvm-manager serve: unbekannte Option --lisen\. Meinten Sie --listen\?/);
  assert.deepEqual([code, out], [EXIT.usage, ""]);
  using _locale = speakPseudo();
  for (
    const line of [["--virt-type", "xen"], ["--base-path="], ["--bin-days", "many"], ["--config", "/none"]]
  ) {
    assert.throws(() => readServe(line), (error) => error instanceof Error && /^⟦.*⟧$/.test(error.message));
  }
});

Deno.test("status speaks the shell's language in its table, and English in JSON", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    const places = ["--data-dir", folder, "--runtime-dir", folder];
    const { out } = await inGerman("status", ...places);
    assert.match(out, /^DIENST .*(systemd läuft hier nicht|beim Systemstart: )/m);
    assert.match(out, /^ZULETZT GESICHERT +nie$/m);
    assert.match(out, /^ZERTIFIKAT BIS +kein Zertifikat$/m);
    const json = JSON.parse((await inGerman("status", "-o", "json", ...places)).out);
    assert.deepEqual([json.lastBackup, json.certificateEnds], ["never", "no certificate"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
