import assert from "node:assert/strict";
import { addTexts, locale, localeFor, perLocale, useLocale } from "./locale.ts";
import { number, plural, t, textsOf } from "./mod.ts";

Deno.test("t() and plural() take the language of what is done now, and English where a text is missing", () => {
  const { t: say, plural: count } = textsOf(
    {
      "try.hi": "Hello {who}",
      "try.vm.one": "{n} VM",
      "try.vm.other": "{n} VMs",
      "try.only": "Only English",
    } as const,
  );
  addTexts("pl", {
    "try.hi": "Cześć {who}",
    "try.vm.one": "{n} maszyna",
    "try.vm.few": "{n} maszyny",
    "try.vm.many": "{n} maszyn",
    "nav.vms": "Maszyny",
  });
  assert.deepEqual([say("try.hi", { who: "Ann" }), locale()], ["Hello Ann", "en"]);
  {
    using _polish = useLocale(() => "pl");
    assert.equal(say("try.hi", { who: "Ann" }), "Cześć Ann");
    assert.deepEqual([1, 2, 5, 22].map((n) => count("try.vm", n)), [
      "1 maszyna",
      "2 maszyny",
      "5 maszyn",
      "22 maszyny",
    ]);
    assert.equal(say("try.only"), "Only English");
    assert.equal(t("nav.vms"), "Maszyny");
    assert.equal(number(12345), "12 345".replace(" ", "\u00a0"));
  }
  assert.equal(plural("vms.running", 2).includes("2"), true);
  assert.equal(t("nav.vms"), "Virtual machines");
});

Deno.test("perLocale() makes a thing once for each language", () => {
  const made: string[] = [];
  const get = perLocale((language) => {
    made.push(language);
    return language.length;
  });
  get();
  get();
  using _german = useLocale(() => "de");
  get();
  assert.deepEqual(made, ["en", "de"]);
});

Deno.test("localeFor() follows Accept-Language among the languages there are", () => {
  const known = ["en", "de", "pt-BR"];
  const table: [string | null, string][] = [
    [null, "en"],
    ["", "en"],
    ["de-AT,de;q=0.9", "de"],
    ["fr, de;q=0.5", "de"],
    ["de;q=0.1, pt-br;q=0.8", "pt-BR"],
    ["de;q=0, en", "en"],
    ["zh-TW, de;q=0.5", "de"],
    ["xx,;;;=,*", "en"],
    [",".repeat(100_000), "en"],
  ];
  for (const [header, expected] of table) {
    assert.equal(localeFor(header, known), expected, String(header?.slice(0, 40)));
  }
});
