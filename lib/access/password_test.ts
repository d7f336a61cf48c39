import assert from "node:assert/strict";
import { weakness } from "./password.ts";

const KNOWN = new Set(["password", "qwertyuiop", "123qweasdzxc", "dragon"]);
const check = (password: string) => weakness(password, ["annabel"], (each) => KNOWN.has(each));

Deno.test("weakness() wants length, and what is no common password", () => {
  const table: [string, RegExp | null][] = [
    ["short-one", /it has 9 characters, and needs 12/],
    ["aaaaaaaaaaaa", /too few different/],
    ["abababababab", /too few different/],
    ["i-am-Annabel-too", /annabel/],
    ["123qweasdzxc", /list/],
    ["password1234", /list/],
    ["PasswordPassword", /list/],
    ["password12!password34!", /list/],
    ["qwertyuiop2024", /list/],
    ["dragon-slain-at-noon", null],
    ["correct horse battery", null],
    ["пароль который длинный", null],
  ];
  for (const [password, expected] of table) {
    const found = check(password);
    if (expected === null) assert.equal(found, null, password);
    else assert.match(found ?? "", expected, password);
  }
});
