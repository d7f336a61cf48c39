/** The output of a program as the log of its task. */
import assert from "node:assert/strict";
import { LoggedOutput } from "./exec_task.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("output becomes lines, whole characters and both streams apart", () => {
  const lines: string[] = [];
  const output = new LoggedOutput((line) => lines.push(line));
  const euro = bytes("a €\nha");
  output.add("stdout", euro.subarray(0, 3));
  output.add("stderr", bytes("oh\n"));
  output.add("stdout", euro.subarray(3));
  output.add("stdout", bytes("lf"));
  assert.deepEqual(lines, ["! oh", "a €"]);
  output.end();
  assert.deepEqual(lines, ["! oh", "a €", "half"]);
});

Deno.test("a guest that writes without end fills no log: the first and the last lines stay", () => {
  const lines: string[] = [];
  const output = new LoggedOutput((line) => lines.push(line));
  for (let n = 0; n < 5000; n++) output.add("stdout", bytes(`${n} \u001b[31m\n`));
  output.add("stdout", bytes("x".repeat(100_000)));
  output.end();
  assert.ok(lines.length < 200, String(lines.length));
  assert.equal(lines[0]!.split(" ")[0], "0");
  assert.ok(lines.some((line) => /^… \d+ lines …$/.test(line)));
  assert.ok(lines.every((line) => line.length <= 1000 && !line.includes("\u001b")));
});
