import assert from "node:assert/strict";
import { languageOfEnvironment, shellLanguage } from "./shell_language.ts";

Deno.test("shellLanguage() reads a locale of POSIX as a tag", () => {
  const table: [Record<string, string>, string | undefined][] = [
    [{ LANG: "de_DE.UTF-8" }, "de-DE"],
    [{ LANG: "de_AT.UTF-8@euro" }, "de-AT"],
    [{ LANG: "ja" }, "ja"],
    [{ LANG: "en_US.UTF-8", LC_MESSAGES: "fr_FR" }, "fr-FR"],
    [{ LANG: "en_US.UTF-8", LC_MESSAGES: "fr_FR", LC_ALL: "es_ES" }, "es-ES"],
    [{ LANG: "de_DE.UTF-8", LC_ALL: "C" }, undefined],
    [{ LANG: "de_DE.UTF-8", LC_ALL: "" }, "de-DE"],
    [{ LANG: "C.UTF-8" }, undefined],
    [{ LANG: "POSIX" }, undefined],
    [{}, undefined],
  ];
  for (const [env, expected] of table) {
    assert.equal(shellLanguage((name) => env[name]), expected, JSON.stringify(env));
  }
});

Deno.test("languageOfEnvironment() is one that there are texts in, else English", () => {
  const known = ["en", "de", "pt"];
  const of = (LANG?: string) => languageOfEnvironment((name) => name === "LANG" ? LANG : undefined, known);
  assert.deepEqual([of("de_AT.UTF-8"), of("pt_BR"), of("it_IT"), of("C"), of()], [
    "de",
    "pt",
    "en",
    "en",
    "en",
  ]);
});
