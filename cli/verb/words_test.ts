/** The shell in other languages: no heading, word or line of the command line stays English. */
import assert from "node:assert/strict";
import { COMMANDS } from "../../lib/contract/mod.ts";
import { shell } from "../../lib/i18n/en/shell.ts";
import { addTexts, useLocale } from "../../lib/i18n/locale.ts";
import { addPseudoTexts, PSEUDO_LOCALE } from "../../lib/i18n/pseudo.ts";
import { coloured, NO_RESPONSE, type Row, shownHeading } from "./cells.ts";
import { ListView } from "./list_view.ts";
import { formatAnswer } from "./output.ts";
import { progressLine } from "./progress.ts";

/** Speaks the pseudo-locale: each text is between ⟦ and ⟧. */
function speakPseudo(): Disposable {
  addPseudoTexts(shell);
  return useLocale(() => PSEUDO_LOCALE);
}

Deno.test("every heading of every verb's table is a text of each language", async () => {
  using _locale = speakPseudo();
  const english: string[] = [];
  let headings = 0;
  for (const [name, command] of Object.entries(COMMANDS)) {
    if (command.columns === undefined) continue;
    const fields = [...command.columns, ...command.wide ?? []];
    const row = Object.fromEntries(fields.map((path) => [path.split(/[.|]/)[0]!, "x"]));
    const answer = command.rows === undefined ? [row] : { [command.rows]: [row] };
    const whole = { columns: fields, ...(command.rows !== undefined && { rows: command.rows }) };
    const [first = ""] = (await formatAnswer(answer, "table", whole)).split("\n");
    const outside = first.replaceAll(/⟦[^⟧]*⟧/g, "").trim();
    headings += fields.length;
    if (outside !== "") english.push(`${name}: ${outside}`);
  }
  assert.deepEqual(english, []);
  assert.ok(headings > 400, `${headings} headings`);
});

/** Headings that are the same in each language: names, protocols, units. */
const SAME = new Set(
  "APPARMOR BUS CA CIDR CRON DHCP KVM-MANAGER-AGENT LIBVIRT MACS MTU NVRAM OK ON PORT QEMU-GA RNG RX SECONDS SELINUX TPM TX UTC XML"
    .split(" "),
);

/** Fields of an answer, those of its parts too. */
function fieldsOf(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  const { anyOf = [], items, properties = {} } = node as {
    anyOf?: readonly unknown[];
    items?: unknown;
    properties?: Readonly<Record<string, unknown>>;
  };
  return [
    ...anyOf.flatMap(fieldsOf),
    ...fieldsOf(items),
    ...Object.entries(properties).flatMap(([name, part]) => [name, ...fieldsOf(part)]),
  ];
}

Deno.test("what verbs show of one thing has headings in the shell's language", () => {
  using _locale = speakPseudo();
  const shown = [
    "get_vm",
    "get_host_info",
    "get_network",
    "get_storage_pool",
    "get_schedule",
    "get_backup",
    "get_alert",
    "guest_get_info",
    "guest_get_metrics",
  ] as const;
  const headings = new Set(shown.flatMap((name) => fieldsOf(COMMANDS[name].output)).map(shownHeading));
  assert.ok(headings.size > 150, `${headings.size} headings`);
  assert.deepEqual([...headings].filter((each) => !/^⟦.*⟧$/.test(each) && !SAME.has(each)), []);
});

Deno.test("moments that commands write as ISO 8601 are shown like all others", async () => {
  const rows = [{ name: "Builds", updated_at: "2026-11-17T00:47:54.078Z" }];
  const table = await formatAnswer(rows, "table", { columns: ["name", "updated_at"] });
  assert.match(table, /^NAME +UPDATED\nBuilds +2026-11-1\d \d\d:47:54$/);
  assert.equal(JSON.parse(await formatAnswer(rows, "json"))[0].updated_at, rows[0]!.updated_at);
});

/** Words that an answer of the contract may have for a state. */
function stateWords(node: unknown, field = ""): string[] {
  if (typeof node !== "object" || node === null) return [];
  const { anyOf = [], items, properties = {}, enum: choices = [], const: word } = node as {
    anyOf?: readonly unknown[];
    items?: unknown;
    properties?: Readonly<Record<string, unknown>>;
    enum?: readonly unknown[];
    const?: unknown;
  };
  const own = ["state", "status", "level", "severity", "verified"].includes(field)
    ? [word, ...choices].filter((each) => typeof each === "string")
    : [];
  return [
    ...own,
    ...anyOf.flatMap((each) => stateWords(each, field)),
    ...stateWords(items, field),
    ...Object.entries(properties).flatMap(([name, part]) => stateWords(part, name)),
  ];
}

Deno.test("words of states are in the shell's language in tables, and the contract's own in JSON, YAML and names", async () => {
  using _locale = speakPseudo();
  const words = new Set(Object.values(COMMANDS).flatMap(({ output }) => stateWords(output)));
  assert.ok(words.size > 40, `${words.size} words`);
  const english: string[] = [];
  for (const word of words) {
    const rows = [{ name: "web", state: word }], layout = { columns: ["state"] };
    const cell = (await formatAnswer(rows, "table", layout)).split("\n")[1]!;
    if (!/^⟦.*⟧$/.test(cell)) english.push(word);
    assert.equal(JSON.parse(await formatAnswer(rows, "json", layout))[0].state, word);
    assert.match(await formatAnswer(rows, "yaml", layout), new RegExp(`state: "?${word}`));
  }
  // A sign-in tells its client how to go on: a word for programs
  assert.deepEqual(english, ["signed-in", "second-factor"]);
  assert.equal(await formatAnswer([{ name: "web", state: "running" }], "name"), "web");
});

Deno.test("states are filtered by the contract's word and the shell's, and have their colours", () => {
  addTexts("de", {
    "cell.word-running": "läuft",
    "heading.state": "Status",
    "cell.word-not-responding": "reagiert nicht",
  });
  using _locale = useLocale(() => "de");
  const rows: Row[] = [{ name: "a", state: "running" }, { name: "b", state: "stopped" }];
  const view = new ListView(rows, { columns: ["name", "state"] }, ["name", "state"], ["running", "stopped"]);
  for (const state of ["running", "läuft"]) {
    assert.deepEqual(view.selected({ state } as never).map(({ name }) => name), ["a"]);
  }
  assert.deepEqual(view.layoutOf({ columns: "status" } as never).columns, ["state"]);
  assert.equal(coloured("läuft  "), "\x1b[32mläuft  \x1b[0m");
  assert.equal(coloured("reagiert nicht"), "\x1b[31mreagiert nicht\x1b[0m");
  assert.equal(NO_RESPONSE, "not responding");
});

Deno.test("progress is told in the shell's language", () => {
  using _locale = speakPseudo();
  const line = progressLine({ title: "", progress: 0.5, doneBytes: 1, totalBytes: 2, secondsLeft: 3 });
  assert.equal(line.replaceAll(/⟦[^⟧]*⟧/g, "").trim(), "[##########----------] 50 %");
});
