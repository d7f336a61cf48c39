import assert from "node:assert/strict";
import { NO_ASSETS } from "../testing.tsx";
import { fillTables, islandsIn, nameOfTable, translatedFile } from "./island_texts.ts";

const TABLES = {
  vms: { "vm.start": "Start", "vm.n.one": "{n} VM", "vm.n.other": "{n} VMs", "vm.other": "Other" },
} as const;
const NAMED = { tables: TABLES, names: {} };
const template = `const t=x(${nameOfTable("vms")});export{t}`;

/** The table that a language's file has. */
const filled = (texts: Readonly<Record<string, string>>, language: string): unknown =>
  JSON.parse(/x\(\((.*)\)\)/s.exec(fillTables(template, NAMED, (key) => texts[key], language))![1]!);

Deno.test("fillTables() writes a table in one language, English where a text is missing", () => {
  assert.deepEqual(filled({}, "en"), TABLES.vms);
  assert.deepEqual(filled({ "vm.start": "Starten $& </script>\u2028\"'", "vm.other": "Andere" }, "de"), {
    ...TABLES.vms,
    "vm.start": "Starten $& </script>\u2028\"'",
    "vm.other": "Andere",
  });
});

Deno.test("fillTables() has the plural forms of the language", () => {
  const polish = { "vm.n.one": "{n} a", "vm.n.few": "{n} b", "vm.n.many": "{n} c", "vm.n.other": "{n} d" };
  assert.deepEqual(filled(polish, "pl"), { "vm.start": "Start", ...polish, "vm.other": "Other" });
  assert.deepEqual(filled({ "vm.n.other": "{n} 台" }, "ja"), {
    "vm.start": "Start",
    "vm.n.other": "{n} 台",
    "vm.other": "Other",
  });
});

Deno.test("fillTables() gives keys the names that they have in the bundle", () => {
  const named = { tables: TABLES, names: { "vm.n": "a", "vm.start": "b", "vm.other": "c" } };
  const text = fillTables(
    nameOfTable("vms"),
    named,
    (key) => key === "vm.n.other" ? "viele" : undefined,
    "ja",
  );
  assert.equal(text, '({"b":"Start","a.other":"viele","c":"Other"})');
});

Deno.test("fillTables() refuses a file whose table is missing", () => {
  assert.throws(() => fillTables(nameOfTable("gone"), NAMED, () => undefined, "de"), /__TEXTS_gone__/);
});

Deno.test("islandsIn() leads all that a page imports to its language", () => {
  const assets = {
    ...NO_ASSETS,
    boot: "/_fresh/b/boot.js",
    islands: { A: { entry: "/_fresh/b/a.js", imports: ["/_fresh/b/c.js"] } },
    texts: { folder: "/x", files: ["a.js"] },
  };
  const german = islandsIn(assets, "de", "en");
  assert.deepEqual([german.boot, german.islands["A"]], [
    "/_fresh/b/de/boot.js",
    { entry: "/_fresh/b/de/a.js", imports: ["/_fresh/b/de/c.js"] },
  ]);
  assert.equal(islandsIn(assets, "en", "en"), assets);
  const { texts: _texts, ...plain } = assets;
  assert.equal(islandsIn(plain, "de", "en"), plain);
});

Deno.test("translatedFile() takes addresses of islands alone", () => {
  assert.deepEqual(translatedFile(["_fresh", "b", "de", "a.js"]), {
    build: "b",
    language: "de",
    file: "a.js",
  });
  for (
    const names of [["_fresh", "b", "a.js"], ["styles", "b", "de", "a.js"], ["_fresh", "b", "de", "a.css"]]
  ) {
    assert.equal(translatedFile(names), null);
  }
});
