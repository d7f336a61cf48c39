/** Reasons of errors are phrases that can be translated: whole texts, which the collector of texts finds. */
import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { PHRASE_PLACES } from "../../lib/i18n/phrases.ts";
import { programSources, PROJECT } from "../project.ts";
import { allMessages, isEnglish, messagesOf } from "./messages.ts";
import {
  branchesOf,
  childNode,
  childNodes,
  literalOf,
  nameOf,
  type Node,
  nodesOf,
  quasisOf,
} from "./syntax.ts";

/** Expressions that errors of the contract have in places of phrases. */
function* phrasesOfErrors(nodes: readonly Node[]): Generator<Node> {
  for (const node of nodes) {
    if (node.type !== "NewExpression" || nameOf(childNode(node, "callee")) !== "ContractError") continue;
    for (const each of childNodes(childNodes(node, "arguments")[1], "properties")) {
      if (PHRASE_PLACES.has(nameOf(childNode(each, "key")) ?? "")) {
        yield* branchesOf(childNode(each, "value"));
      }
    }
  }
}

/** Whether it is a template of English words with values in it, which no catalog can have. */
const isGlued = (node: Node): boolean =>
  node.type === "TemplateLiteral" && quasisOf(node).length > 1 &&
  quasisOf(node).some((part) => /[a-z]{2,} | [a-z]{2,}/i.test(part));

Deno.test("errors are given messages and whole phrases, which are all collected", async () => {
  const known = await allMessages(), glued: string[] = [], unknown: string[] = [];
  let seen = 0;
  for (const room of ["agent", "lib"]) {
    for (const path of await programSources(join(PROJECT, room))) {
      const source = await Deno.readTextFile(path);
      if (!source.includes("new ContractError(")) continue;
      for (const node of phrasesOfErrors(nodesOf(source, path))) {
        const said = `${relative(PROJECT, path)}: ${source.slice(node.start, node.end)}`,
          text = literalOf(node);
        seen++;
        if (isGlued(node)) glued.push(said);
        if (text !== undefined && isEnglish(text) && !known.has(text)) unknown.push(said);
      }
    }
  }
  assert.deepEqual(glued, [], "write message`…` there");
  assert.deepEqual(unknown, []);
  assert.ok(seen > 200, `${seen} places are looked at`);
});

Deno.test("messagesOf() finds templates, phrases in places, and what constants and functions give", () => {
  assert.deepEqual(messagesOf("job.log(message`Copying ${vm} to ${`x`}`)"), ["Copying {0} to {1}"]);
  assert.deepEqual(messagesOf('x = { $text: "One " + "text", name: "no phrase" }'), ["One text"]);
  assert.deepEqual(messagesOf('new ContractError("X", { verb: "make", pool: "a pool" })'), ["make"]);
  assert.deepEqual(messagesOf('refused(isOn ? "it is on" : why)'), ["it is on"]);
  assert.deepEqual(messagesOf('const WHY = "it is off";\nrefused(WHY)'), ["it is off"]);
  assert.deepEqual(messagesOf('const WHY = { a: "it is a", b: "it is b" };\nrefused(WHY[x])'), [
    "it is a",
    "it is b",
  ]);
  assert.deepEqual(
    messagesOf('function fault() { if (x) return "it is x"; return undefined; }\nrefused(fault())'),
    ["it is x"],
  );
  assert.deepEqual(messagesOf('const fault = (): Sentence => "it is y";'), ["it is y"]);
  assert.deepEqual(messagesOf('new OvfError("it has no disks"); new Error("a bug of ours")'), [
    "it has no disks",
  ]);
  assert.deepEqual(messagesOf('needsAction("warning", "it is off", "Start it.", "virsh start it")'), [
    "it is off",
    "Start it.",
  ]);
});

Deno.test("a template with values is glued, a name with a number is not", () => {
  const glued = (source: string) => nodesOf(source).some(isGlued);
  assert.ok(glued("x = `the disk ${a}`"));
  assert.ok(!glued("x = `${a}: ${b}`") && !glued("x = `text`"));
});
