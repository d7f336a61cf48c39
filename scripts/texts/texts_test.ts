import assert from "node:assert/strict";
import type { TextTables } from "../../lib/fresh/server/island_texts.ts";
import { englishTexts } from "./english.ts";
import { fromPo, toPo } from "./po.ts";
import { problems } from "./problems.ts";

const ENGLISH = {
  vms: { "vm.start": "Start {name}", "vm.n.one": "{n} VM of {pool}", "vm.n.other": "{n} VMs of {pool}" },
  messages: { "Not found: {0}": "Not found: {0}", 'Say "no" \\ \n now': 'Say "no" \\ \n now' },
} as const satisfies TextTables;
const GERMAN: TextTables = {
  vms: {
    "vm.start": "{name} starten",
    "vm.n.one": "Eine VM von {pool}",
    "vm.n.other": "{n} VMs von {pool}",
  },
  messages: { "Not found: {0}": "Nicht gefunden: {0}", 'Say "no" \\ \n now': "Sag „nein“ \\ \n jetzt" },
};

Deno.test("englishTexts() has errors, warnings, templates and summaries in addition to the nouns", async () => {
  const { messages, commands, common, vms: _none, replication, ...rest } = await englishTexts();
  assert.ok(messages!["VM not found: {vmId}"] !== undefined);
  assert.ok(Object.keys(messages!).length > 450, "messages are missing");
  assert.ok(Object.keys(commands!).length > 300, "commands are missing");
  assert.ok(Object.keys(rest.command_help!).length > 800, "help of commands is missing");
  assert.equal(common!["nav.vms"], "Virtual machines");
  assert.ok(replication !== undefined && Object.keys(rest).length > 60);
});

Deno.test("problems() finds nothing in what is complete, with the forms that a language needs", () => {
  assert.deepEqual(problems(ENGLISH, GERMAN, "de"), []);
  const { "vm.n.one": _one, ...japanese } = GERMAN["vms"]!;
  assert.deepEqual(problems(ENGLISH, { ...GERMAN, vms: japanese }, "ja"), []);
  assert.deepEqual(problems(ENGLISH, GERMAN, "fr"), []); // `many` may be left out
  assert.deepEqual(problems(ENGLISH, GERMAN, "pl"), ["vms: vm.n.few is missing"]);
});

Deno.test("problems() names what is missing, unknown, empty, or has other places", () => {
  const { "vm.start": _start, "vm.n.one": _one, ...rest } = GERMAN["vms"]!;
  const table: [TextTables, string[]][] = [
    [{ ...GERMAN, vms: rest }, ["vms: vm.start is missing", "vms: vm.n.one is missing"]],
    [{ vms: GERMAN["vms"]! }, ["messages: the file is missing"]],
    [{ ...GERMAN, old: {} }, ["old: no such noun"]],
    [{ ...GERMAN, vms: { ...GERMAN["vms"], gone: "x" } }, ["vms: gone is no text"]],
    [{ ...GERMAN, vms: { ...GERMAN["vms"], "vm.start": "" } }, ["vms: vm.start is empty"]],
    [{ ...GERMAN, vms: { ...GERMAN["vms"], "vm.start": "{nmae}" } }, [
      "vms: vm.start has other places: {name} in English, here {nmae}",
    ]],
    [{ ...GERMAN, vms: { ...GERMAN["vms"], "vm.n.other": "{n} VMs" } }, [
      "vms: vm.n.other has other places: {n} {pool} in English, here {n}",
    ]],
  ];
  for (const [translations, expected] of table) {
    assert.deepEqual(problems(ENGLISH, translations, "de"), expected);
  }
});

Deno.test("a PO file gives back the translations that went into it", () => {
  const text = toPo(ENGLISH, GERMAN, "de");
  assert.match(text, /msgctxt "vms\/vm\.start"\nmsgid "Start \{name\}"\nmsgstr "\{name\} starten"/);
  assert.match(text, /#\. Places in braces/);
  assert.deepEqual(fromPo(text, ENGLISH), { language: "de", tables: GERMAN });
  assert.deepEqual(fromPo(toPo(ENGLISH, {}, "ja"), ENGLISH), { language: "ja", tables: {} });
});

Deno.test("fromPo() refuses texts that are no more what they were, and leaves out what is not sure", () => {
  const text = toPo(ENGLISH, GERMAN, "de");
  assert.throws(
    () => fromPo(text.replace("Start {name}", "Begin {name}"), ENGLISH),
    /another in English now/,
  );
  assert.throws(
    () => fromPo(text.replaceAll("vms/vm.start", "vms/vm.gone"), ENGLISH),
    /no text vms\/vm.gone/,
  );
  assert.throws(() => fromPo(text.replaceAll("vms/vm.start", "__proto__/x"), ENGLISH), /no text/);
  assert.throws(() => fromPo(text.replace("Language: de", "Language: ../x"), ENGLISH), /language/);
  const unsure = text.replace('msgctxt "vms/vm.start"', '#, fuzzy\nmsgctxt "vms/vm.start"');
  assert.equal(fromPo(unsure, ENGLISH).tables["vms"]!["vm.start"], undefined);
});

Deno.test("all English texts survive a PO file, as a translation of each", async () => {
  const english = await englishTexts();
  const { language, tables } = fromPo(toPo(english, english, "de"), english);
  assert.equal(language, "de");
  assert.deepEqual(problems(english, tables, "de"), []);
});
