import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/errors.ts";
import { message } from "../../lib/i18n/message.ts";
import { attributedAnswer, attributedError, attributedSentence, idsIn, idsInError } from "./attribution.ts";

const current = [
  ...[{ id: "1", name: "web" }, { id: "2", name: "web-1" }, { id: "3", name: "a.b" }],
  ...[{ id: "4444-4", name: "zz" }, { id: "5", name: "VM" }, { id: "6", name: "W\u00fcrfel" }],
];
const former = [
  ...[{ id: "9", name: "(b)" }, { id: "eeeeeeee-0000-0000-0000-000000000000", name: "--" }],
  ...[{ id: "7", name: "old" }, { id: "8", name: "web" }, { id: "1", name: "before" }],
];
const names = { current: () => current, former: () => former };

const CASES: readonly [text: string, ids: readonly string[], why?: string][] = [
  ["Volume is used by web: disk", ["1"]],
  ["used by web-1, a.b", ["1", "2", "3"], "a name before a dash may be one"],
  ["webs and cobweb, axb, zzz", []],
  ["VM not found: 4444-4", ["4444-4", "5"]],
  ["W\u00fcrfel", ["6"]],
  ["old: it failed", ["7"], "one that is gone"],
  ["before: it failed", ["1"], "the name that it had before"],
  ["web: it failed", ["1"], "a name that another VM has now is that one's"],
  ["/images/(b)/x", ["9"]],
  [`seed_${"eeeeeeee-0000-0000-0000-000000000000"}.iso`, ["eeeeeeee-0000-0000-0000-000000000000"]],
  ["", []],
];

for (const isOneOfMany of [false, true]) {
  Deno.test(`idsIn() finds VMs that ${isOneOfMany ? "many texts name" : "a text names"}, by names and ids`, () => {
    for (const [text, ids, why] of CASES) {
      assert.deepEqual(idsIn(text, names, isOneOfMany).sort(), ids, why ?? text);
    }
  });
}

Deno.test("attributedSentence() takes what other programs say, and none of our own words", () => {
  const foreign = { $foreign: "domain web is there", vmIds: ["1"] };
  assert.deepEqual(attributedSentence(message`This VM cannot: ${"domain web is there"}`, names), {
    $text: "This VM cannot: {0}",
    args: { 0: foreign },
  });
  assert.deepEqual(attributedSentence("domain web is there", names), foreign);
  const plain = message`${"no room"}`;
  assert.equal(attributedSentence(plain, names), plain);
});

Deno.test("attributedError() leaves what was sent; idsInError() finds what it names, too", () => {
  const error = new ContractError("VolumeCloneFailed", { name: "web", error: "domain a.b has it" });
  assert.deepEqual(attributedError(error, names).details, {
    name: "web",
    error: { $foreign: "domain a.b has it", vmIds: ["3"] },
  });
  assert.deepEqual(attributedError(error, names).toJSON(), error.toJSON());
  assert.deepEqual(idsInError(attributedError(error, names), names).sort(), ["1", "3"]);
});

Deno.test("attributedAnswer() looks at reasons, not at names and paths", () => {
  const foreign = { $foreign: "web has it", vmIds: ["1"] };
  assert.deepEqual(
    attributedAnswer({
      name: "web",
      source: "/web.img",
      disks: [{ reason: "web has it" }],
      warnings: ["web has it"],
    }, names),
    { name: "web", source: "/web.img", disks: [{ reason: foreign }], warnings: [foreign] },
  );
  assert.deepEqual(attributedAnswer({ source: "web" }, names), { source: { $vm: "1", name: "web" } });
});
