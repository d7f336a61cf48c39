import assert from "node:assert/strict";
import { writeYaml } from "./yaml.ts";
import { skippedUnless } from "../../../tests/testbed/skipped_unless.ts";

/** Texts that YAML gives a meaning to when they are not quoted, or that end early. */
const TEXTS = [
  "yes",
  "Off",
  "y",
  "N",
  "~",
  "null",
  "=",
  "<<",
  "-",
  "? b",
  "- a",
  "a: b",
  "a:",
  "#c",
  "a #c",
  "*a",
  "&a",
  "!a",
  "0777",
  "0x1F",
  "1e3",
  "1_000",
  ".5",
  ".inf",
  "+1",
  "12:30",
  "1:2:3",
  "52:54:00:11:22:33",
  "2001-01-01",
  "'x",
  '"x',
  "%a",
  "@a",
  "`a",
  "|",
  ">",
  "[a",
  "{a",
  "a\\b",
  "\ttab",
  " lead",
  "trail ",
  "",
  "\u00a0",
  "ä😀",
  ...["two\nlines\n", "\n\nblank first", "ends in blanks  \n\n", "  indented\nless", "a\n # no comment\nb"],
];
const READ = "import json,sys,yaml; json.dump(yaml.safe_load(sys.stdin.read()), sys.stdout)";

/** A document as PyYAML, which cloud-init uses, reads it; null if it is not installed. */
async function python(source: string): Promise<unknown> {
  const child = new Deno.Command("python3", {
    args: ["-c", READ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  })
    .spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(source));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (/No module named/.test(decode(stderr))) return null;
  assert.ok(success, decode(stderr));
  return JSON.parse(decode(stdout));
}

const isMissing = await python("[]").then((value) => value === null, (error) => {
  if (error instanceof Deno.errors.NotFound) return true;
  throw error;
});
const ignore = skippedUnless(!isMissing, "python3-yaml is not installed");

Deno.test({
  name: "writeYaml() writes what PyYAML reads as the same texts",
  ignore,
  fn: async () => {
    const value = { list: TEXTS, map: Object.fromEntries(TEXTS.map((text, index) => [`k${index}`, text])) };
    assert.deepEqual(await python(writeYaml(value)), value);
  },
});
