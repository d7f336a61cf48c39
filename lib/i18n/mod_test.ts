import assert from "node:assert/strict";
import { ERRORS } from "../contract/errors.ts";
import { COMMANDS } from "../contract/mod.ts";
import { en } from "./en.ts";
import { isMadeKey } from "./made_keys.ts";
import { number, plural, t, textsOf } from "./mod.ts";

const ROOT = new URL("../../", import.meta.url);
const FOLDERS = ["lib", "components", "islands", "routes", "agent", "cli"];
const OWN = new Set(["en.ts", "mod.ts", "mod_test.ts"]);

async function* sources(folder: URL): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (folder.pathname.endsWith("/i18n/") && isDirectory) continue;
    if (isDirectory) yield* sources(new URL(`${encodeURIComponent(name)}/`, folder));
    else if (/\.tsx?$/.test(name) && !OWN.has(name)) {
      yield await Deno.readTextFile(new URL(encodeURIComponent(name), folder));
    }
  }
}

/** The texts of every area in one: an area is a file in `en/` whose one export is its table. */
async function allTexts(): Promise<Record<string, string>> {
  const all: Record<string, string> = { ...en };
  const folder = new URL("en/", import.meta.url);
  for await (const { name } of Deno.readDir(folder)) {
    const tables: Record<string, Record<string, string>> = await import(new URL(name, folder).href);
    for (const table of Object.values(tables)) {
      for (const [key, text] of Object.entries(table)) {
        assert(!(key in all), `${key} is there twice`);
        all[key] = text;
      }
    }
  }
  return all;
}

async function allSources(): Promise<string> {
  const texts: string[] = [];
  for (const folder of FOLDERS) {
    for await (const text of sources(new URL(`${folder}/`, ROOT))) texts.push(text);
  }
  return texts.join("\n");
}

Deno.test("t() fills places, and nothing else", () => {
  assert.equal(t("danger.single", { action: "Start", name: "$& {action}" }), "Start $& {action}?");
  assert.equal(t("nav.vms"), "Virtual machines");
});

Deno.test("plural() picks the form and writes the number the language's way", () => {
  assert.equal(plural("danger.many", 1, { action: "Start" }), "Start 1 VM?");
  assert.equal(plural("danger.many", 1005, { action: "Start" }), "Start 1,005 VMs?");
  assert.equal(number(1005), "1,005");
});

Deno.test("textsOf() reads an area's own table", () => {
  const area = textsOf({ "a.b": "{who} is here", "a.c.one": "one", "a.c.other": "{n} of {all}" } as const);
  assert.equal(area.t("a.b", { who: "Ann" }), "Ann is here");
  assert.equal(area.plural("a.c", 2, { all: 5 }), "2 of 5");
});

Deno.test("en has every key that is used", async () => {
  const [source, en] = [await allSources(), await allTexts()];
  const called = [...source.matchAll(/\b(t|plural)\(\s*"([\w.]+)"/g)].map(([, kind, key]) =>
    kind === "plural" ? `${key}.other` : key!
  );
  assert.deepEqual([...new Set(called)].filter((key) => !(key in en)), []);
});

Deno.test("en has no key that is not used", async () => {
  const [source, en] = [await allSources(), await allTexts()];
  const unused = Object.keys(en).filter((key) =>
    !isMadeKey(key) && !source.includes(`"${key.replace(/\.(one|other)$/, "")}"`)
  );
  assert.deepEqual(unused, []);
});

Deno.test("en has both forms of what is counted", async () => {
  const en = await allTexts();
  const bases = Object.keys(en).filter((key) => /\.(one|other)$/.test(key)).map((key) =>
    key.replace(/\.\w+$/, "")
  );
  for (const base of new Set(bases)) {
    assert(`${base}.one` in en, base);
    assert(`${base}.other` in en, base);
  }
});

/** Allowed uses of "machine" (docs/words.md): QEMU's machine types, and the long form. */
const ALLOWED = /virtual machines?|machine types?|machine[ -]id|\{machine\}/gi;

/** Every summary and description in a piece of the contract. */
function described(piece: unknown, at: string): [string, string][] {
  if (typeof piece !== "object" || piece === null) return [];
  return Object.entries(piece).flatMap(([key, value]) =>
    (key === "description" || key === "summary" || key === "destroys") && typeof value === "string"
      ? [[`${at}.${key}`, value] as [string, string]]
      : described(value, `${at}.${key}`)
  );
}

Deno.test("texts, errors and the contract say VM, never machine", async () => {
  const all = [
    ...Object.entries(await allTexts()),
    ...described(COMMANDS, "commands"),
    ...Object.entries(ERRORS).map(([code, { text }]): [string, string] => [code, text]),
  ];
  assert.ok(all.length > 1000, `${all.length} texts are too few`);
  const wrong = all.filter(([, text]) => /\bmachines?\b/i.test(text.replace(ALLOWED, "")));
  assert.deepEqual(wrong, []);
});

/** Words that are not used in technical English, with the usual ones. */
const UNUSUAL = {
  anew: "again",
  beside: "next to",
  nobody: "no user, no VM …, or a passive: is not sent",
  "tells of": "reports",
  "told of": "notified of, or learns",
} as const;

Deno.test("texts, errors and the contract are written in plain English", async () => {
  const all = [
    ...Object.entries(await allTexts()),
    ...described(COMMANDS, "commands"),
    ...Object.entries(ERRORS).map(([code, { text }]): [string, string] => [code, text]),
  ];
  for (const [words, instead] of Object.entries(UNUSUAL)) {
    const wrong = all.filter(([, text]) => new RegExp(`\\b${words}\\b`, "i").test(text));
    assert.deepEqual(wrong, [], `say “${instead}”`);
  }
});

Deno.test("New is no command: what makes something says Create", async () => {
  const commands = /^New (VM|machine|virtual|network$|storage|pool|volume|user|role|token)/i;
  assert.deepEqual(Object.entries(await allTexts()).filter(([, text]) => commands.test(text)), []);
});

/** Phrases about backup jobs that call them "backup"; compound words are left out first. */
const JOB_WORDS =
  /\b(create|edit|change|switch|enable|run|schedule) (a |the )?backups?\b|\bbackups? (\{\w+\}|was|is) (was |now )?(created|saved|running|switched)|\bbackups? already\b|\b(newest|daily|weekly|monthly|yearly) cop(y|ies)\b/i;
const NO_JOB = /backup (jobs?|targets?|checkpoints?)/gi;

Deno.test("texts, errors and the contract tell a backup job, its run and a backup apart", async () => {
  const all = [
    ...Object.entries(await allTexts()),
    ...described(COMMANDS, "commands"),
    ...Object.entries(ERRORS).map(([code, { text }]): [string, string] => [code, text]),
  ];
  assert.deepEqual(all.filter(([, text]) => JOB_WORDS.test(text.replace(NO_JOB, ""))), []);
});
