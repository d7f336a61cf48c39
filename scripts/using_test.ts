/**
 * Finds `using` declarations that `deno bundle --minify` drops: it puts a variable that is read once into the statement
 * after its declaration, and forgets that `using` was to dispose of it (`using a = take(); return a.b();`). A lock
 * would stay, in the packed program alone. So the declarations of both bundles are counted.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parseAst } from "rolldown/parseAst";
import { deno, PROJECT } from "./project.ts";
import { BUNDLE, workersOf } from "./server.ts";

/** Counts what is declared by `using` and `await using` below a node of a syntax tree. */
function usings(node: unknown): number {
  if (typeof node !== "object" || node === null) return 0;
  const inside = Object.values(node).reduce((sum: number, each) => sum + usings(each), 0);
  const { type, kind, declarations } = node as { type?: unknown; kind?: unknown; declarations?: unknown[] };
  const isUsing = type === "VariableDeclaration" && (kind === "using" || kind === "await using");
  return isUsing ? inside + declarations!.length : inside;
}

/** Bundles modules and counts the declarations of the result. */
async function bundled(entries: readonly string[], ...options: readonly string[]): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    await deno(...BUNDLE, ...options, "--code-splitting", "--outdir", folder, ...entries);
    const texts = (await Array.fromAsync(Deno.readDir(folder))).filter(({ name }) => name.endsWith(".js"))
      .map(({ name }) => Deno.readTextFile(join(folder, name)));
    return (await Promise.all(texts)).reduce((sum, text) => sum + usings(parseAst(text)), 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const BOTH = [[], ["--minify"]] as const;

Deno.test("the bundler is seen to drop a `using`", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    const entry = join(folder, "entry.ts");
    await Deno.writeTextFile(
      entry,
      "const take = () => ({ b: () => 1, [Symbol.dispose]() {} });\n" +
        "export function f() {\n  using a = take();\n  return a.b();\n}\n" +
        "export function g() {\n  using a = take(), c = take();\n  return [a.b(), a.b(), c];\n}\n",
    );
    const [whole, small] = await Promise.all(BOTH.map((options) => bundled([entry], ...options)));
    assert.equal(whole, 3);
    // When this no longer holds the bundler is mended, and this file can go
    assert.ok(small! < whole!, `${small} of ${whole} are left`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("no `using` is dropped when the program is bundled", async () => {
  const main = join(PROJECT, "cli/start.ts");
  const entries = [main, ...[...await workersOf(main)].map((source) => join(PROJECT, source))];
  const [whole, small] = await Promise.all(BOTH.map((options) => bundled(entries, ...options)));
  assert.ok(whole! > 100, `${whole} were found: the test looks in the wrong place`);
  assert.equal(small, whole);
});
