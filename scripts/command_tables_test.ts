/**
 * Keeps facts on a command in its row of the contract: elsewhere there is no table by the names of commands, and no
 * list of them.
 */
import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { COMMANDS } from "../lib/contract/mod.ts";
import { programSources, PROJECT } from "./project.ts";

/** Files that may have such a table or list, and why. */
const ALLOWED: readonly (readonly [file: RegExp, why: string])[] = [
  [/^lib\/contract\//, "the rows themselves"],
  [/^agent\/(.*\/)?(handlers|\w+_handlers|manage|volume_jobs)\.ts$/, "handlers: they carry commands out"],
  [/^agent\/vm\/lifecycle\/power\.ts$/, "handlers of the commands that change a VM's state"],
  [
    /^agent\/operations\/step\.ts$/,
    "the type of a step in the store: commands that a later start carries out again",
  ],
  [
    /^cli\/verb\/(vm|volume|network|create|bin)\.ts$/,
    "code of the command line that asks the server or reads files",
  ],
  [/^agent\/demo\/seed\/activity\.ts$/, "what people of the demo have done in its past"],
  [/^components\/storage\/PoolForms\.tsx$/, "the fields of each form of a pool's page"],
];

const FOLDERS = ["agent", "cli", "components", "islands", "lib", "routes"];
const NAMES = Object.keys(COMMANDS).join("|");
const KEY = new RegExp(`(?<=^|[{,])\\s*["']?(${NAMES})["']?\\s*:`, "gm");
const QUOTED = new RegExp(`(["'])(${NAMES})\\1`, "g");

/** Fewest commands that make a table, and a list. Two in an array are often an answer of one or the other. */
const FEWEST = { table: 2, list: 3 } as const;

/** The bracket that a place in a source stands in; undefined outside of all. Brackets in texts and comments come in pairs. */
function bracketAround(source: string, place: number): string | undefined {
  let closed = 0;
  for (let at = place - 1; at >= 0; at--) {
    if (")]}".includes(source[at]!)) closed++;
    else if ("([{".includes(source[at]!) && closed-- === 0) return source[at];
  }
  return undefined;
}

/** Commands that are keys of objects in a source. */
const inTables = (source: string): Set<string> => new Set([...source.matchAll(KEY)].map(([, name]) => name!));

/** Commands that stand in arrays and in unions of types in a source. */
function inLists(source: string): Set<string> {
  const found = [...source.matchAll(QUOTED)].filter(({ 0: quoted, index }) => {
    const before = source.slice(0, index).trimEnd(), after = source.slice(index + quoted.length).trimStart();
    if (/(?<!\|)\|$/.test(before.slice(-2)) || /^\|(?!\|)/.test(after)) return true;
    const isIndex = /[\w\])]\[$/.test(before.slice(-2)) && after.startsWith("]");
    return !isIndex && bracketAround(source, index) === "[";
  });
  return new Set(found.map(([, , name]) => name!));
}

const hasCommands = (source: string) =>
  inTables(source).size >= FEWEST.table || inLists(source).size >= FEWEST.list;

Deno.test("a list of commands is told from calls, comparisons and types that are looked up", () => {
  const listed = (source: string) => [...inLists(source)].join(" ");
  const three = "start_vm stop_vm reset_vm";
  assert.equal(listed(`const a = new Set(["start_vm", "stop_vm", "reset_vm"]);`), three);
  assert.equal(listed(`const a = [...["crashed"], 'start_vm', x(1), "stop_vm", ["reset_vm", "a"]];`), three);
  assert.equal(listed(`type A = "start_vm" | "stop_vm" | "reset_vm";`), three);
  assert.equal(
    listed(`type A = Extract<CommandName,\n  | "start_vm"\n  | "stop_vm"\n  | "reset_vm">;`),
    three,
  );
  assert.equal(
    listed(
      `if (a === "start_vm" || b === "stop_vm") ask(c["reset_vm"], "pause_vm", [d("resume_vm"), "any"]);`,
    ),
    "",
  );
  assert.equal(hasCommands(`[{ a: ["start_vm"] }, ["stop_vm", "reset_vm"]]`), true);
  assert.equal(hasCommands(`["start_vm", "stop_vm"]`), false);
  assert.equal(hasCommands(`({ start_vm: 1, "stop_vm": 2 })`), true);
});

Deno.test("no table and no list of commands stands outside the contract", async () => {
  const found: string[] = [];
  for (const folder of FOLDERS) {
    for (const path of await programSources(join(PROJECT, folder))) {
      if (hasCommands(await Deno.readTextFile(path))) found.push(relative(PROJECT, path));
    }
  }
  assert.deepEqual(found.filter((path) => !ALLOWED.some(([file]) => file.test(path))), []);
  for (const [file, why] of ALLOWED) {
    assert.ok(found.some((path) => file.test(path)), `no table or list is left: ${why}`);
  }
});
