import assert from "node:assert/strict";
import { arrange, type BundledModule, type Load } from "./chunks.ts";

/** Modules by `name: bytes imports…`. */
const graph = (rows: Record<string, readonly [bytes: number, ...imports: string[]]>) =>
  new Map(
    Object.entries(rows).map((
      [id, [bytes, ...imports]],
    ): [string, BundledModule] => [id, { bytes, imports }]),
  );
const page = (...roots: string[]): Load => ({ roots, times: 1, isPage: true });
const arranged = (...[modules, loads, limits]: Parameters<typeof arrange>) =>
  arrange(modules, loads, limits)[0]!.map((ids) => [...ids].sort().join(" ")).sort();

const MANY = { files: 9, bytes: 1e6, unused: 0.99 };

Deno.test("arrange() puts small modules together, and leaves a large one to those who use it", () => {
  const modules = graph({
    core: [9000],
    small: [100],
    large: [50_000],
    a: [200, "core", "small"],
    b: [200, "core", "small", "large"],
    c: [200, "core"],
  });
  assert.deepEqual(
    arranged(modules, [page("a"), page("b"), page("c")], MANY),
    [
      "a c core small",
      "b large",
    ].toSorted(),
  );
});

Deno.test("arrange() merges more where a page would have too many files, and not beyond the bytes it may load", () => {
  const modules = graph({
    x: [4000],
    y: [4000],
    z: [4000],
    a: [4000, "x", "y", "z"],
    b: [4000, "x"],
    c: [4000, "y"],
    d: [4000, "z"],
  });
  const loads = [page("a"), page("b"), page("c"), page("d")];
  const filesOfA = (limits: Parameters<typeof arrange>[2]) =>
    arrange(modules, loads, limits)[0]!.filter((ids) => ["a", "x", "y", "z"].some((id) => ids.includes(id)))
      .length;
  assert.equal(filesOfA(MANY), 4);
  assert.equal(filesOfA({ ...MANY, files: 2 }), 2);
  assert.equal(filesOfA({ ...MANY, files: 2, unused: 0.3 }), 4);
});

Deno.test("arrange() never makes two files import each other", () => {
  const modules = graph({ top: [10, "middle"], middle: [60_000, "base"], base: [10], other: [10, "base"] });
  const files = arrange(
    modules,
    [page("top"), page("top", "other"), page("other"), page("middle")],
    MANY,
  )[0]!;
  const home = (id: string) => files.findIndex((ids) => ids.includes(id));
  const imports = (from: number) =>
    new Set(files[from]!.flatMap((id) => modules.get(id)!.imports).map(home).filter((to) => to !== from));
  const reaches = (from: number, to: number, seen = new Set<number>()): boolean =>
    [...imports(from)].some((next) => next === to || (!seen.has(next) && reaches(next, to, seen.add(next))));
  for (const file of files.keys()) assert.ok(!reaches(file, file), `file ${file} imports itself`);
});

Deno.test("arrange() leaves alone what no page loads at once", () => {
  const modules = graph({ a: [10, "shared"], shared: [10], part: [10, "shared", "own"], own: [10] });
  const part: Load = { roots: ["part"], times: 1, isPage: false };
  assert.deepEqual(arranged(modules, [page("a"), part], MANY), ["a shared"]);
});
