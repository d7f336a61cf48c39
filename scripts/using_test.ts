/**
 * What `deno bundle --minify` drops: it puts a variable that is read once into the statement after its declaration, and
 * forgets that `using` was to dispose of it. A lock would stay, in the packed program alone.
 */
import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { programSources, PROJECT } from "./project.ts";

/** The line's indentation. */
const depth = (line: string): number => line.length - line.trimStart().length;

/** The names of `using` declarations of a source that would be dropped. */
function dropped(source: string): string[] {
  const lines = source.split("\n");
  return lines.flatMap((line, index) => {
    const name = /^\s*(?:await )?using (\w+) = /.exec(line)?.[1];
    if (name === undefined) return [];
    const rest = lines.slice(index + 1),
      end = rest.findIndex((each) => each.trim() && depth(each) < depth(line));
    const block = rest.slice(0, end < 0 ? undefined : end).filter((each) => !/^\s*(?:\/\/|\*|$)/.test(each));
    const reads = block.join("\n").match(new RegExp(`\\b${name}\\b`, "g"))?.length ?? 0;
    // The statement after it: to the next line of the same depth that closes nothing
    const next = block.findIndex((each, at) =>
      at > 0 && depth(each) === depth(line) && !/^\s*[\])}]/.test(each)
    );
    const statement = block.slice(0, next < 0 ? undefined : next).join(" ").trim();
    const isRead = new RegExp(`\\b${name}\\b`).test(statement);
    const condition = /^(?:if|switch|while) \(([^{]*)/.exec(statement)?.[1] ?? "";
    const isInlined = new RegExp(`\\b${name}\\b`).test(condition) ||
      new RegExp(`^return (?:await )?${name};`).test(statement) ||
      /^(?:(?:const|let) \w+ =|return) [{[]/.test(statement);
    return reads === 1 && isRead && isInlined ? [name] : [];
  });
}

Deno.test("dropped() finds what is read once, right after, where it is not handed to a call", () => {
  const inside = (...lines: string[]) =>
    `function f() {\n${lines.map((line) => `  ${line}`).join("\n")}\n}\n`;
  assert.deepEqual(dropped(inside("using a = take();", "if (a === undefined) return;")), ["a"]);
  assert.deepEqual(dropped(inside("using a = take();", "const work = { b, a };", "run(work);")), ["a"]);
  assert.deepEqual(dropped(inside("using a = take();", "return a;")), ["a"]);
  assert.deepEqual(dropped(inside("using a = take();", "return run(a);")), []);
  assert.deepEqual(dropped(inside("using a = take();", "if (a === undefined) return;", "run(a);")), []);
  assert.deepEqual(dropped(inside("using a = take();", "const { b } = await read(a);")), []);
});

Deno.test("no `using` is dropped when the program is bundled", async () => {
  const found: string[] = [];
  for (const folder of ["agent", "cli", "ffi", "lib", "routes"]) {
    for (const path of await programSources(join(PROJECT, folder))) {
      for (const name of dropped(await Deno.readTextFile(path))) {
        found.push(`${relative(PROJECT, path)}: ${name}`);
      }
    }
  }
  assert.deepEqual(found, []);
});
