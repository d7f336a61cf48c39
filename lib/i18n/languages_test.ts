import assert from "node:assert/strict";
import { directionOf, isLanguageTag, languageOf, LANGUAGES } from "./languages.ts";

const KNOWN = Object.keys(LANGUAGES);

Deno.test("languageOf() takes a reader's language in the script that the reader reads", () => {
  const table: [string, string | undefined][] = [
    ["de", "de"],
    ["de-AT", "de"],
    ["DE-ch", "de"],
    ["pt-BR", "pt"],
    ["zh", "zh"],
    ["zh-CN", "zh"],
    ["zh-Hans", "zh"],
    ["zh-SG", "zh"],
    ["zh-TW", undefined],
    ["zh-HK", undefined],
    ["zh-Hant", undefined],
    ["zh-Hans-TW", "zh"],
    ["tlh", undefined],
    ["*", undefined],
    ["", undefined],
    ["x-private", undefined],
    ["__proto__", undefined],
    ["de".repeat(1000), undefined],
  ];
  for (const [tag, expected] of table) assert.equal(languageOf(tag, KNOWN), expected, tag.slice(0, 40));
});

Deno.test("languageOf() prefers the very tag", () => {
  assert.equal(languageOf("en-XA", ["en", "en-XA"]), "en-XA");
  assert.equal(languageOf("en-GB", ["en", "en-XA"]), "en");
});

Deno.test("directionOf() knows which way a language is written", () => {
  assert.deepEqual(["en", "ja", "ar", "ar-XB", "he", "fa-IR", "ur", "nonsense!"].map(directionOf), [
    ...["ltr", "ltr", "rtl", "rtl", "rtl", "rtl", "rtl", "ltr"],
  ]);
});

Deno.test("isLanguageTag() takes no path", () => {
  assert.deepEqual(["de", "zh-Hans-CN", "../de", "de/x", "", "d"].map(isLanguageTag), [
    ...[true, true, false, false, false, false],
  ]);
});
