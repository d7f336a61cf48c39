import assert from "node:assert/strict";
import { render } from "preact-render-to-string";
import type { VM } from "../../lib/contract/mod.ts";
import { formatWhen } from "../../lib/text/time.ts";
import { notUnderstoodText } from "../../lib/vm/not_responding.ts";
import { Notes } from "./Notes.tsx";

const SINCE = Date.UTC(2026, 10, 27, 15);
const vm = (more: Partial<VM>) =>
  ({
    id: "1",
    name: "web",
    state: "running",
    persistent: true,
    attention: [],
    tags: [],
    ...more,
  }) as unknown as VM;

Deno.test("Notes say once that a VM is shown as it was, with the reader's time", () => {
  const html = render(
    <Notes vm={vm({ notUnderstoodSince: SINCE, attention: [notUnderstoodText(SINCE)] })} enabled />,
  );
  assert.ok(html.includes(`Shown as it was at ${formatWhen(SINCE)}`), html);
  assert.equal(html.match(/Update KVM Manager here/g)?.length, 1);
  assert.equal(render(<Notes vm={vm({})} enabled />), "");
});
