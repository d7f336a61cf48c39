/** The house's arrows: which folder may import from which, and no circle between the rooms of one. */
import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { programSources, PROJECT } from "./project.ts";

/** Folder → the folders its sources may import from, in addition to itself. Tests may import from anywhere. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  ffi: ["lib"],
  agent: ["ffi", "lib"],
  components: ["lib", "islands"],
  islands: ["lib", "components"],
  routes: ["agent", "components", "islands", "lib"],
  // The app, for `serve`.
  cli: ["agent", "lib", "main.ts", "fresh.gen.ts"],
};

/** A relative import or re-export with names, a bare one, or one at run time. */
const IMPORT =
  /\b(?:import|export)\s+(?<clause>(?:type\s+)?(?:[\w*$]+(?:\s+as\s+\w+)?\s*,?\s*)?(?:\{[^}]*\}\s*)?)from\s*"(?<from>\.[^"]+\.tsx?)"|\bimport\s*\(?\s*"(?<bare>\.[^"]+\.tsx?)"/g;

/** An import of types alone is gone once the source is compiled. */
function isOfTypes(clause: string): boolean {
  if (/^type\b/.test(clause)) return true;
  const names = /^\{([^}]*)\}\s*$/.exec(clause)?.[1]?.split(",").map((name) => name.trim()).filter(Boolean);
  return names !== undefined && names.length > 0 && names.every((name) => name.startsWith("type "));
}

interface Import {
  readonly target: string;
  readonly isOfTypes: boolean;
}

/** Relative imports of a source. */
function imports(text: string): Import[] {
  return [...text.matchAll(IMPORT)].map(({ groups }) => ({
    target: (groups!.from ?? groups!.bare)!,
    isOfTypes: isOfTypes(groups!.clause ?? ""),
  }));
}

for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
  Deno.test(`${folder}/ imports from ${["itself", ...allowed].join(", ")} alone`, async () => {
    const wrong: string[] = [];
    let seen = 0;
    for (const path of await programSources(join(PROJECT, folder))) {
      for (const { target } of imports(await Deno.readTextFile(path))) {
        seen++;
        const place = relative(PROJECT, join(dirname(path), target));
        const [top = ""] = place.split("/");
        if (top !== folder && !allowed.includes(top)) wrong.push(`${relative(PROJECT, path)} → ${place}`);
      }
    }
    assert.deepEqual(wrong, []);
    assert.ok(seen > 0, "no import was found: the test looks in the wrong place");
  });
}

Deno.test("islands reach no schema of the contract: they would weigh more than the rest of a page", async () => {
  const todo = await programSources(join(PROJECT, "islands"));
  const reached = new Set(todo), withSchemas: string[] = [];
  for (const path of todo) { // grows while it is gone through
    const text = await Deno.readTextFile(path);
    if (/^import (?!type\b)[^;]*\bfrom "typebox"/m.test(text)) withSchemas.push(relative(PROJECT, path));
    for (const { target, isOfTypes } of imports(text)) {
      const next = join(dirname(path), target);
      // Pages get the values of such a module alone.
      if (isOfTypes || reached.has(next) || next.endsWith(".const.ts")) continue;
      reached.add(next);
      todo.push(next);
    }
  }
  assert.ok(reached.has(join(PROJECT, "lib/client/api.ts")), "the test looks in the wrong place");
  assert.deepEqual(withSchemas, []);
});

/** The room of a source: its folder below the top one, or the file itself where it lies in none. */
const roomOf = (path: string) => path.split("/").slice(0, 2).join("/");

/** Room → rooms it imports from → the imports that do so, as `source → target`. */
type Edges = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** @param withTypes whether imports of types alone count */
async function edgesOf(folder: string, withTypes: boolean): Promise<Edges> {
  const edges = new Map<string, Map<string, string[]>>();
  for (const path of await programSources(join(PROJECT, folder))) {
    const source = relative(PROJECT, path);
    for (const { target, isOfTypes } of imports(await Deno.readTextFile(path))) {
      const place = relative(PROJECT, join(dirname(path), target));
      if ((isOfTypes && !withTypes) || !place.startsWith(`${folder}/`)) continue;
      if (roomOf(place) === roomOf(source)) continue;
      const from = edges.getOrInsertComputed(roomOf(source), () => new Map<string, string[]>());
      from.getOrInsertComputed(roomOf(place), () => []).push(`${source} → ${place}`);
    }
  }
  return edges;
}

/** Every room that can be reached from one. */
function reached(edges: Edges, start: string): Set<string> {
  const seen = new Set<string>();
  const open = [start];
  for (let room = open.pop(); room !== undefined; room = open.pop()) {
    for (const next of edges.get(room)?.keys() ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return seen;
}

/** The imports that lead back to where they come from. */
function circles(edges: Edges): string[] {
  const reach = new Map([...edges.keys()].map((room) => [room, reached(edges, room)]));
  return [...edges].flatMap(([from, targets]) =>
    [...targets].flatMap(([to, found]) => reach.get(to)?.has(from) ? found : [])
  ).sort();
}

type Pair = `${string} → ${string}`;

/** Edges without those between some pairs of rooms. */
const without = (edges: Edges, pairs: readonly Pair[]): Edges =>
  new Map([...edges].map(([from, targets]) => [
    from,
    new Map([...targets].filter(([to]) => !pairs.includes(`${from} → ${to}`))),
  ]));

/** Those of the pairs that close no circle with the edges outside the pairs. */
function idle(edges: Edges, pairs: readonly Pair[]): Pair[] {
  const rest = without(edges, pairs);
  return pairs.filter((pair) => {
    const [from = "", to = ""] = pair.split(" → ");
    return edges.get(from)?.get(to) === undefined || !reached(rest, to).has(from);
  });
}

Deno.test("a circle is told by its imports", () => {
  const edges: Edges = new Map([
    ["lib/a", new Map([["lib/b", ["a → b"]], ["lib/d", ["a → d"]]])],
    ["lib/b", new Map([["lib/c", ["b → c"]]])],
    ["lib/c", new Map([["lib/a", ["c → a"]]])],
  ]);
  assert.deepEqual(circles(edges), ["a → b", "b → c", "c → a"]);
  assert.deepEqual(circles(without(edges, ["lib/c → lib/a"])), []);
  assert.deepEqual(idle(edges, ["lib/c → lib/a"]), []);
  assert.deepEqual(
    idle(edges, ["lib/c → lib/a", "lib/a → lib/d", "lib/b → lib/d"]),
    ["lib/a → lib/d", "lib/b → lib/d"],
  );
  const found = imports(`import type { A } from "./a.ts"; import { type B, type C } from "./b.ts";
    import { type D, e } from "./d.ts"; export * from "./f.ts"; import "./g.ts"; await import("./h.ts");`);
  assert.deepEqual(found.filter((each) => each.isOfTypes).map(({ target }) => target), ["./a.ts", "./b.ts"]);
  assert.deepEqual(
    found.filter((each) => !each.isOfTypes).map(({ target }) => target),
    ["./d.ts", "./f.ts", "./g.ts", "./h.ts"],
  );
});

/**
 * Why some rooms import types from rooms above them, and the pairs of these. Without them there is no circle. A pair that
 * closes none any more is taken out, so that the list can only become shorter.
 */
const KNOWN_TYPE_CIRCLES: readonly { readonly why: string; readonly pairs: readonly Pair[] }[] = [
  {
    why: "parts are given the whole Application, not what they need of it",
    pairs: [
      "agent/feature.ts → agent/app.ts",
      "agent/http → agent/app.ts",
    ],
  },
  {
    why: "parts are given the whole Host, which holds them",
    pairs: ["agent/metrics → agent/hosts", "agent/operations → agent/hosts", "agent/storage → agent/hosts"],
  },
  {
    why: "the type of a feature names all that one may bring, and each room declares its feature by it",
    pairs: [
      "agent/feature_part.ts → agent/dispatch.ts",
      "agent/feature.ts → agent/hosts",
      "agent/feature_part.ts → agent/hosts",
      "agent/feature.ts → agent/operations",
      "agent/feature.ts → agent/store",
    ],
  },
  {
    why: "the type of handlers stands in dispatch, which asks agent/access for rights",
    pairs: ["agent/access → agent/dispatch.ts"],
  },
];

const KNOWN_PAIRS = KNOWN_TYPE_CIRCLES.flatMap(({ pairs }) => pairs);

for (const folder of ["lib", "agent", "components"]) {
  Deno.test(`the rooms of ${folder}/ import code from each other in no circle`, async () => {
    const edges = await edgesOf(folder, false);
    assert.ok(edges.size > 3, "no import was found: the test looks in the wrong place");
    assert.deepEqual(circles(edges), []);
  });

  Deno.test(`the rooms of ${folder}/ import types from each other in no circle but the known`, async () => {
    const edges = await edgesOf(folder, true);
    const known = KNOWN_PAIRS.filter((pair) => pair.startsWith(`${folder}/`));
    assert.deepEqual(circles(without(edges, known)), []);
    assert.deepEqual(idle(edges, known), [], "no circle is left there: take it out of KNOWN_TYPE_CIRCLES");
  });
}

Deno.test("docs/architecture.md tells what lives in each room, and of no room that is not there", async () => {
  const told = [
    ...(await Deno.readTextFile(join(PROJECT, "docs/architecture.md")))
      .matchAll(/^\| `((?:lib|agent|components)\/[^/`]+)\/`\s*\|\s*[^|\s]/gm),
  ].map((match) => match[1]!);
  const there: string[] = [];
  for (const floor of ["lib", "agent", "components"]) {
    for await (const { name, isDirectory } of Deno.readDir(join(PROJECT, floor))) {
      if (isDirectory) there.push(`${floor}/${name}`);
    }
  }
  assert.ok(there.length > 30, "the test looks in the wrong place");
  assert.deepEqual(told.toSorted(), there.toSorted());
});

Deno.test("C pointers are named below ffi/ alone", async () => {
  for (const folder of Object.keys(MAY_IMPORT).filter((name) => name !== "ffi")) {
    for (const path of await programSources(join(PROJECT, folder))) {
      assert.doesNotMatch(await Deno.readTextFile(path), /Deno\.(Unsafe|dlopen|Pointer)/, path);
    }
  }
});
