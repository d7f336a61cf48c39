/** The table of waits against the sources: a call's `slowest` function is the worst of those it calls. */
import assert from "node:assert/strict";
import { type CallName, CALLS } from "./calls/mod.ts";
import { isAtLeast, type LibvirtSymbol, WAITS } from "./waits.ts";

const FOLDER = new URL("./", import.meta.url);

/** Text of each top-level function of a file, by name; methods of classes by theirs. */
function functionsOf(source: string): Map<string, string> {
  const found = new Map<string, string>();
  const starts = [
    ...source.matchAll(
      /^(?:export )?function (\w+)|^(?:export )?const (\w+) = (?:<[^>]*>)?\(|^ {2}(?:static )?(\w+)\([^)]*\)[^;{]*\{$/gm,
    ),
  ];
  for (const [index, match] of starts.entries()) {
    const name = match[1] ?? match[2] ?? match[3]!;
    found.set(
      name,
      (found.get(name) ?? "") + source.slice(match.index, starts[index + 1]?.index ?? source.length),
    );
  }
  return found;
}

/** Sources by which calls reach libvirt that have none themselves. */
const CONNECTING: readonly string[] = ["connection.ts", "sign_in.ts", "sign_in_turns.ts"];

/** A source file: its functions, and which file the names it imports are from. */
interface Source {
  readonly functions: Map<string, string>;
  readonly imports: Map<string, string>;
}

async function sources(): Promise<Map<string, Source>> {
  const all = new Map<string, Source>();
  const files = [...CONNECTING];
  for await (const { name } of Deno.readDir(new URL("calls/", FOLDER))) {
    if (name.endsWith(".ts") && name !== "mod.ts" && name !== "keys.ts") files.push(`calls/${name}`);
  }
  for (const file of files) {
    const text = (await Deno.readTextFile(new URL(file, FOLDER))).replaceAll(/\/\*[\s\S]*?\*\//g, "");
    const imports = new Map<string, string>();
    for (const [, names, from] of text.matchAll(/import \{([^}]*)\} from "([^"]*)"/g)) {
      const path = new URL(from!, new URL(file, FOLDER)).href.slice(FOLDER.href.length);
      for (const [name] of names!.matchAll(/\w+/g)) imports.set(name, path);
    }
    all.set(file, { functions: functionsOf(text), imports });
  }
  return all;
}

/** Functions of libvirt that a function calls, by itself and by what it calls. */
function reached(
  file: string,
  name: string,
  all: ReadonlyMap<string, Source>,
  seen = new Set<string>(),
): Set<string> {
  const source = all.get(file), text = source?.functions.get(name);
  if (source === undefined || text === undefined || seen.has(`${file} ${name}`)) return new Set();
  seen.add(`${file} ${name}`);
  const found = new Set(text.match(/\bvir[A-Z]\w+/g) ?? []);
  const follow = (at: string, word: string) => {
    for (const symbol of reached(at, word, all, seen)) found.add(symbol);
  };
  for (const [, object, word] of text.matchAll(/(?:\b(\w+|this)\.)?\b([a-z]\w+)\b(?=[(),])/g)) {
    if (["connection", "Connection", "this"].includes(object ?? "")) follow("connection.ts", word!);
    else if (object === undefined) {
      follow(source.functions.has(word!) ? file : source.imports.get(word!) ?? "", word!);
    }
  }
  return found;
}

/** The file of each call. */
function fileOf(name: string, all: ReadonlyMap<string, Source>): string {
  for (const [file, { functions }] of all) {
    if (!CONNECTING.includes(file) && functions.get(name)?.startsWith("export ")) return file;
  }
  throw new Error(`${name} is in no file of calls`);
}

Deno.test("CALLS name of each call the function with the longest wait", async () => {
  const all = await sources();
  for (const name of Object.keys(CALLS) as CallName[]) {
    const { slowest, run } = CALLS[name];
    const symbols = [...reached(fileOf(run.name, all), run.name, all)].filter((symbol) =>
      Object.hasOwn(WAITS, symbol)
    ) as LibvirtSymbol[];
    assert.ok(symbols.length > 0, `${name}: no function of libvirt was found`);
    assert.ok(symbols.includes(slowest), `${name} does not call ${slowest}: ${symbols.join(" ")}`);
    for (const symbol of symbols) {
      assert.ok(
        isAtLeast(WAITS[slowest], WAITS[symbol]),
        `${name}: ${symbol} waits for "${WAITS[symbol]}", ${slowest} only for "${WAITS[slowest]}"`,
      );
    }
  }
});

Deno.test("no way leads to libvirt around the gate", async () => {
  const allowed = new Set([
    // The link makes the pool and the streams with its gate
    "agent/libvirt/link.ts",
    // Another server's VMs, for an import: nothing of this host's libvirt waits for it
    "agent/vm/foreign/esx/driver.ts",
    // The demo has a libvirt of its own, in memory, which nothing waits for
    "agent/demo/libvirt/answers.ts",
    "agent/demo/libvirt/host_simulation.ts",
  ]);
  const root = new URL("../", FOLDER);
  const wrong: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(new URL(`${folder}/`, root))) {
      const path = `${folder}/${name}`;
      if (isDirectory) await walk(path);
      else if (/\.tsx?$/.test(name) && !/_test\.ts$|testing\.ts$/.test(name) && !allowed.has(path)) {
        const text = await Deno.readTextFile(new URL(path, root));
        if (
          /import \{[^}]*\b(?:WorkerPool|ConsoleStreams|Connection)\b[^}]*\} from "[^"]*ffi\/|from "[^"]*ffi\/(?:library|connection|worker_pool)\.ts"/
            .test(text.replaceAll(/import type [^;]*;/g, ""))
        ) {
          wrong.push(path);
        }
      }
    }
  };
  for (const folder of ["agent", "cli", "routes", "lib"]) await walk(folder);
  assert.deepEqual(wrong, []);
});
