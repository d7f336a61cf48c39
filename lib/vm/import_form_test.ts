import assert from "node:assert/strict";
import { importRequest } from "./import_form.ts";

const form = (fields: Record<string, string | File>) => {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  return data;
};

Deno.test("importRequest() takes a file before a text, and leaves out what was not said", async () => {
  assert.deepEqual(await importRequest(form({ xml: "<a/>", file: new File([], ""), name: "" })), {
    xml: "<a/>",
    newId: false,
    newMacs: false,
    allowMissing: false,
  });
  assert.deepEqual(
    await importRequest(form({ xml: "<a/>", file: new File(["<b/>"], "b.xml"), name: "x", newId: "yes" })),
    { xml: "<b/>", name: "x", newId: true, newMacs: false, allowMissing: false },
  );
});
