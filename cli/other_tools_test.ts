import assert from "node:assert/strict";
import { OTHER_TOOLS_WORDS, sameVerbs, verbForOtherTool } from "./other_tools.ts";
import { findOwn } from "./own_verb.ts";
import { ownVerbs } from "./own_verbs.ts";
import { unknown } from "./unknown.ts";
import { readArguments } from "./verb/options.ts";
import { findVerb, verbOf } from "./verb/find.ts";

const OWN = ownVerbs(() => Promise.reject(new Error("nothing is served here")));

/** Message about a line that is no verb. */
function saidOf(...line: readonly string[]): string {
  const said: string[] = [], { error } = console;
  console.error = (...words: unknown[]) => said.push(words.join(" "));
  try {
    assert.equal(unknown(line, OWN), 2);
  } finally {
    console.error = error;
  }
  return said.join("\n");
}

Deno.test("words of other tools are no verbs here, and stand for one that there is", () => {
  for (const word of OTHER_TOOLS_WORDS) {
    const line = verbForOtherTool(word)!.split(" ");
    const isVerb = findVerb(line)?.rest.length === 0 || findOwn(OWN, line)?.rest.length === 0;
    assert.ok(isVerb, `${word}: ${line.join(" ")}`);
    assert.equal(findVerb([word]) ?? findOwn(OWN, [word]), undefined, word);
  }
});

Deno.test("who types a word of virsh or kubectl is told what to type", () => {
  assert.match(saidOf("dominfo", "web1"), /unknown verb "dominfo"\. Did you mean kvm-manager vm show\?/);
  assert.match(saidOf("net-list"), /Did you mean kvm-manager network list\?/);
  assert.match(saidOf("get", "vms"), /Did you mean kvm-manager vm list\?/);
  assert.match(saidOf("token", "create"), /Did you mean kvm-manager token add\?/);
  assert.match(saidOf("user", "remove", "ann"), /Did you mean kvm-manager user delete\?/);
  assert.deepEqual(sameVerbs("nonsense"), []);
});

Deno.test("a list says of virsh's --all and --inactive what does that here", () => {
  const list = verbOf("get_vms");
  assert.throws(
    () => readArguments(list, ["--all"]),
    /unknown option --all\. It lists all of them, in any state/,
  );
  assert.throws(() => readArguments(list, ["--inactive"]), /--state stopped/);
  assert.throws(() => readArguments(verbOf("start_vm"), ["web1", "--all"]), /unknown option --all$/);
});
