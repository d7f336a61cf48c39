import assert from "node:assert/strict";
import { en } from "./en.ts";
import { number, plural, t } from "./mod.ts";

const ROOT = new URL("../../", import.meta.url);
const FOLDERS = ["lib", "components", "islands", "routes"];
const OWN = new Set(["en.ts", "mod.ts", "mod_test.ts"]);

async function* sources(folder: URL): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* sources(new URL(`${encodeURIComponent(name)}/`, folder));
    else if (/\.tsx?$/.test(name) && !OWN.has(name)) {
      yield await Deno.readTextFile(new URL(encodeURIComponent(name), folder));
    }
  }
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
  assert.equal(plural("list.shown", 1), "1 machine is shown");
  assert.equal(plural("list.shown", 1005), "1,005 machines are shown");
  assert.equal(number(1005), "1,005");
});

Deno.test("en has every key that is used", async () => {
  const source = await allSources();
  const called = [...source.matchAll(/\b(t|plural)\(\s*"([\w.]+)"/g)].map(([, kind, key]) =>
    kind === "plural" ? `${key}.other` : key!
  );
  assert.deepEqual([...new Set(called)].filter((key) => !(key in en)), []);
});

Deno.test("en has no key that is not used", async () => {
  const source = await allSources();
  const unused = Object.keys(en).filter((key) => !source.includes(`"${key.replace(/\.(one|other)$/, "")}"`));
  assert.deepEqual(unused, []);
});

Deno.test("en has both forms of what is counted", () => {
  const bases = Object.keys(en).filter((key) => /\.(one|other)$/.test(key)).map((key) =>
    key.replace(/\.\w+$/, "")
  );
  for (const base of new Set(bases)) {
    assert(`${base}.one` in en, base);
    assert(`${base}.other` in en, base);
  }
});
