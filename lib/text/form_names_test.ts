import assert from "node:assert/strict";
import { countedFields, fieldPath, nameOfField } from "./form_names.ts";

const counted = (...form: [string, string][]) => countedFields(form);

Deno.test("fieldPath() reads what nameOfField() writes", () => {
  assert.equal(nameOfField("create.sizeGb", { unit: "G", part: "create" }), "create.sizeGb:G@create");
  assert.deepEqual(fieldPath("create.sizeGb:G@create,other"), {
    path: "create.sizeGb",
    unit: "G",
    parts: ["create", "other"],
  });
  assert.deepEqual(fieldPath("name"), { path: "name", unit: "", parts: [] });
});

Deno.test("countedFields() takes the part that was chosen, and no other's", () => {
  const form: [string, string][] = [["a@one", "1"], ["b@two", "2"], ["c@one,two", "3"], ["d", "4"]];
  assert.deepEqual(counted([":part", "two"], ...form), [["b", "2"], ["c", "3"], ["d", "4"]]);
  assert.deepEqual(counted(...form), [["d", "4"]], "none was chosen");
});

Deno.test("countedFields() leaves out what is as it was, whatever its unit", () => {
  assert.deepEqual(counted(["a:M", "5"], ["a:was", "5"], ["b", ""], ["b:was", "x"], ["c:was", "y"]), [[
    "b",
    "",
  ]]);
  assert.deepEqual(counted(["box", "no"], ["box", "yes"], ["box:was", "yes"]), []);
  assert.deepEqual(counted(["box", "no"], ["box:was", "yes"]), [["box", "no"]]);
});

Deno.test("countedFields() takes the fields of a choice, behind those with the same name", () => {
  assert.deepEqual(counted([":plug", "network=a+b&linkUp=yes"], [":where", ""]), [["network", "a b"], [
    "linkUp",
    "yes",
  ]]);
  assert.deepEqual(counted([":plug", "network=a"], [":plug:was", "network=a"]), []);
  assert.deepEqual(counted([":tick", "filter=x"], ["filter", ""], ["filter:was", "x"]), []);
  // What a choice has is a field as any other is: it makes no further ones.
  assert.deepEqual(counted([":a", ":b=c%3Dd"]), [[":b", "c=d"]]);
});

Deno.test("countedFields() of as many fields as a form may have takes no time to speak of", () => {
  const form = Array.from({ length: 5000 }, (_each, n): [string, string] => ["tags", String(n)]);
  const began = performance.now();
  assert.equal(counted(...form, ["tags:was", "4999"]).length, 0);
  assert.equal(counted(...form).length, 5000);
  assert.ok(performance.now() - began < 1000);
});
