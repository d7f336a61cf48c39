import assert from "node:assert/strict";
import { typedFields } from "./typed_fields.ts";

Deno.test("typedFields() gives back what was typed, without files", () => {
  const form = new FormData();
  form.set("pinning", "everywhere");
  form.set("file", new File(["x"], "x.iso"));
  assert.deepEqual(typedFields(form), { pinning: "everywhere" });
});
