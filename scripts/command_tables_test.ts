/** What is said of a command is said in its row of the contract: elsewhere there is no table by the names of commands. */
import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { COMMANDS } from "../lib/contract/mod.ts";
import { PROJECT } from "./project.ts";

/** Files that may have such a table, and why. */
const ALLOWED: readonly (readonly [file: RegExp, why: string])[] = [
  [/^lib\/contract\//, "the rows themselves"],
  [/^agent\/(.*\/)?(handlers|\w+_handlers|manage|volume_jobs)\.ts$/, "handlers: they carry commands out"],
  [/^agent\/vm\/lifecycle\/power\.ts$/, "handlers of the commands that change a VM's state"],
  [
    /^cli\/verb\/(vm|volume|network|create|bin)\.ts$/,
    "code of the command line that asks the server or reads files",
  ],
  [/^lib\/vm\/device_forms\.ts$/, "reads a form's fields into the input; in the browser, too"],
  [/^components\/storage\/PoolForms\.tsx$/, "the fields of each form of a pool's page"],
];

const FOLDERS = ["agent", "cli", "components", "islands", "lib", "routes"];
const KEY = new RegExp(`(?<=^|[{,])\\s*["']?(${Object.keys(COMMANDS).join("|")})["']?\\s*:`, "gm");

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* sources(path);
    else if (/\.tsx?$/.test(name) && !/_test\.tsx?$|^testing\.tsx?$/.test(name)) yield path;
  }
}

/** Files with a table of at least two commands. */
async function tables(): Promise<string[]> {
  const found: string[] = [];
  for (const folder of FOLDERS) {
    for await (const path of sources(join(PROJECT, folder))) {
      const names = [...(await Deno.readTextFile(path)).matchAll(KEY)].map(([, name]) => name);
      if (new Set(names).size > 1) found.push(relative(PROJECT, path));
    }
  }
  return found;
}

Deno.test("no table by the names of commands stands outside the contract", async () => {
  const found = await tables();
  assert.deepEqual(found.filter((path) => !ALLOWED.some(([file]) => file.test(path))), []);
  for (const [file, why] of ALLOWED) {
    assert.ok(found.some((path) => file.test(path)), `no table is left: ${why}`);
  }
});
