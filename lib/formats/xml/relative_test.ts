import assert from "node:assert/strict";
import { relativePaths, withAbsolutePaths } from "./relative.ts";

const of = (...files: string[]) =>
  `<domain>\n<devices>${
    files.map((file) => `<disk><source file='${file}'/></disk>\n`).join("")
  }</devices></domain>`;

Deno.test("relativePaths() names what is no absolute path, wherever it stands", () => {
  assert.deepEqual(relativePaths(of("a.img", "/b.img", "c/d.img", "")), ["a.img", "c/d.img"]);
  const chain =
    "<domain><disk><source file='/a'/><backingStore><source file='b'/></backingStore></disk></domain>";
  assert.deepEqual(relativePaths(chain), ["b"]);
});

Deno.test("withAbsolutePaths() changes the known ones alone, and no line", () => {
  const source = of("a.img", "b.img", "/c.img");
  const copy = withAbsolutePaths(source, ["a.img"]);
  assert.deepEqual(relativePaths(copy), ["b.img"]);
  assert.equal(copy.split("\n").length, source.split("\n").length);
  assert.equal(withAbsolutePaths(source, []), source);
});
