import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { hasTexts, locales, translation, useLocale } from "../../lib/i18n/locale.ts";
import { findLanguages, loadLanguage, readCatalog } from "./catalogs.ts";

/** Makes a folder of translations, and runs a test on it. */
async function withFiles(files: Readonly<Record<string, string>>, run: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-locales-" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(dirname(join(folder, name)), { recursive: true });
      await Deno.writeTextFile(join(folder, name), text);
    }
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const taken = (language: string, key: string) => {
  using _language = useLocale(() => language);
  return translation(key);
};

Deno.test("a language is offered before its texts are read, and they are read once, of all its files", async () => {
  const files = {
    "eo/common.json": '{"a.one":"unu"}',
    "eo/messages.json": '{"VM not found: {vm}":"Ne trovita: {vm}"}',
    "eo/words.md": "no texts",
    "en/x.json": "{}",
    "la/words.md": "nothing yet",
    "it.json": '{"a.one":"uno"}',
    "not a tag.json": "{}",
  };
  await withFiles(files, async (folder) => {
    findLanguages(folder);
    assert.deepEqual(["eo", "it", "la", "not a tag"].map((tag) => locales().includes(tag)), [
      true,
      true,
      false,
      false,
    ]);
    assert.equal(hasTexts("eo"), false);
    await Promise.all([loadLanguage("eo"), loadLanguage("eo"), loadLanguage("it"), loadLanguage("xx")]);
    assert.equal(taken("eo", "a.one"), "unu");
    assert.equal(taken("eo", "VM not found: {vm}"), "Ne trovita: {vm}");
    assert.equal(taken("it", "a.one"), "uno");
  });
});

Deno.test("texts that cannot be read stay English, and are read when they can be", async () => {
  await withFiles({ "ia.json": '{"a.one":' }, async (folder) => {
    findLanguages(folder);
    await loadLanguage("ia");
    assert.equal(taken("ia", "a.one"), undefined);
    await Deno.writeTextFile(join(folder, "ia.json"), '{"a.one":"un"}');
    await loadLanguage("ia");
    assert.equal(taken("ia", "a.one"), "un");
  });
});

Deno.test("readCatalog() refuses what is no table of texts", async () => {
  await withFiles({ "a.json": "[]", "b.json": '{"x":1}', "c.json": "null" }, async (folder) => {
    for (const name of ["a", "b", "c"]) {
      await assert.rejects(readCatalog(join(folder, `${name}.json`)), TypeError);
    }
  });
});
