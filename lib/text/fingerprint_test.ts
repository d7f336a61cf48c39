import assert from "node:assert/strict";
import { shownFingerprint } from "./fingerprint.ts";

Deno.test("shownFingerprint() is what browsers show", () => {
  assert.equal(shownFingerprint("00ffab"), "00:FF:AB");
});
