import assert from "node:assert/strict";
import { cloneInput, cloneWishIn } from "./clone_form.ts";

Deno.test("the form of a clone says what its fields say, and nothing of a TPM that is not there", () => {
  const inputOf = (fields: Record<string, string>) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    return cloneInput(cloneWishIn(form));
  };
  assert.deepEqual(inputOf({ disks: "full" }), { linked: false });
  assert.deepEqual(inputOf({ disks: "linked", snapshot: "", tpm: "copy" }), { linked: true, tpm: "copy" });
  assert.deepEqual(inputOf({ disks: "full", snapshot: "a", tpm: "new" }), {
    linked: false,
    snapshot: "a",
    tpm: "new",
  });
});
