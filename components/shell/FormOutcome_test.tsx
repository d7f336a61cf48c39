import assert from "node:assert/strict";
import { render } from "preact-render-to-string";
import type { Notice } from "../../lib/text/notice.ts";
import { FormOutcome } from "./FormOutcome.tsx";

Deno.test("what a command warns of is shown with what was done", () => {
  const warnings = ["The network <b> is not there any more.", "/a is another file"];
  const notice: Notice = { is: "done", word: "restore_bin_entry", name: "web", warnings };
  const html = render(<FormOutcome state={{ refused: null, notice, may: () => false }} path="/bin" />);
  assert.match(html, /web/);
  assert.match(html, /The network &lt;b> is not there any more\./);
  assert.match(html, /\/a is another file/);
});
