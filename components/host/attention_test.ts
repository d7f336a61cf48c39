import assert from "node:assert/strict";
import { healthText } from "./AttentionPanel.tsx";

Deno.test("healthText() counts what the last examination found", () => {
  assert.equal(healthText({ at: 1, problems: 1, warnings: 3 }), "1 problem, 3 warnings");
  assert.equal(healthText({ at: 1, problems: 0, warnings: 1 }), "1 warning");
  assert.equal(healthText({ at: 1, problems: 0, warnings: 0 }), "");
  assert.equal(healthText(undefined), "");
});
