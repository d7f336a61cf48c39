import assert from "node:assert/strict";
import { splitWords } from "./words.ts";

Deno.test("splitWords() cuts a line at blanks, but not within quotes, and expands nothing", () => {
  const cases: [string, string[] | null][] = [
    ["", []],
    ["  uname   -a ", ["uname", "-a"]],
    ["sh -c 'df -h | tail -1'", ["sh", "-c", "df -h | tail -1"]],
    [`echo "a \\"b\\" $HOME" '' x"y"z`, ["echo", 'a "b" $HOME', "", "xyz"]],
    ["ls a\\ b", ["ls", "a b"]],
    ["echo 'open", null],
  ];
  for (const [line, words] of cases) assert.deepEqual(splitWords(line), words, line);
});
