import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/errors.ts";
import { message } from "../../lib/i18n/message.ts";
import { attributedAnswer, attributedError, attributedSentence, idsIn, idsInError } from "./attribution.ts";

const current = [
  ...[{ id: "1", name: "web" }, { id: "2", name: "web-1" }, { id: "3", name: "a.b" }],
  ...[{ id: "4444-4", name: "zz" }, { id: "5", name: "VM" }, { id: "6", name: "W\u00fcrfel" }],
];
const former = [{ id: "7", name: "old" }, { id: "8", name: "web" }, { id: "1", name: "before" }];
const names = { current: () => current, former: () => former };

Deno.test("idsIn() finds VMs that a text names, as words of their own or by their ids", () => {
  assert.deepEqual(idsIn("Volume is used by web: disk", names), ["1"]);
  assert.deepEqual(idsIn("used by web-1, a.b", names), ["1", "2", "3"], "a name before a dash may be one");
  assert.deepEqual(idsIn("webs and cobweb, axb, zzz", names), []);
  assert.deepEqual(idsIn("VM not found: 4444-4", names), ["4444-4", "5"]);
  assert.deepEqual(idsIn("W\u00fcrfel", names), ["6"]);
});

Deno.test("idsIn() finds VMs that are gone and those that were renamed; a name that another has now is that one's", () => {
  assert.deepEqual(idsIn("old: it failed", names), ["7"]);
  assert.deepEqual(idsIn("before: it failed", names), ["1"]);
  assert.deepEqual(idsIn("web: it failed", names), ["1"]);
});

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
