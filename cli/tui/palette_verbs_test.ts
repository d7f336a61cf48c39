import assert from "node:assert/strict";
import Type from "typebox";
import { type CommandName, COMMANDS } from "../../lib/contract/mod.ts";
import { command } from "../../lib/contract/command.ts";
import { closed, NOTHING_OUT, oneOf } from "../../lib/contract/schema.ts";
import { type Verb, VERBS } from "../verb/find.ts";
import { formFields, wordsOf } from "./form_fields.ts";
import { paletteVerbs } from "./palette_verbs.ts";
import { readArguments } from "../verb/options.ts";

const all = () => true;

/** A command as it would be in the contract. */
const added: Verb = {
  name: "polish_vm" as CommandName,
  command: command({
    summary: "Polish a VM",
    role: "operator",
    input: closed({
      vmId: Type.String({ minLength: 1 }),
      wax: oneOf(["soft", "hard"], { description: "which wax" }),
      thicknessMb: Type.Optional(Type.Integer({ description: "of the layer" })),
      shiny: Type.Optional(Type.Boolean()),
      helpers: Type.Optional(Type.Array(Type.String())),
      key: Type.Optional(Type.String({ "x-secret": true })),
    }),
    output: NOTHING_OUT,
    errors: [],
    route: "POST /vms/{vmId}/polish",
    cli: ["vm", "polish", "<vmId>"],
    destroys: "the dust on it",
    readOnly: false,
  }),
  words: ["vm", "polish"],
  extras: {},
};

Deno.test("a command that is added to the contract is in the palette, with a form of its schema", () => {
  const verbs = [...VERBS, added];
  assert.ok(paletteVerbs(all, false, verbs).includes(added));
  assert.ok(paletteVerbs(all, true, verbs).includes(added));
  const fields = formFields(added);
  assert.deepEqual(
    fields.filter(({ flag }) => flag !== "host").map(({ flag, kind, required, secret, many }) =>
      [flag, kind, ...[required && "required", secret && "secret", many && "many"].filter(Boolean)].join(" ")
    ),
    [
      "vm-id text required",
      "wax choice required",
      "thickness-mb text",
      "shiny boolean",
      "helpers text many",
      "key text secret",
    ],
  );
  assert.deepEqual(fields.find(({ flag }) => flag === "wax")?.choices, ["soft", "hard"]);
  assert.equal(fields[0]?.names?.list, "get_vms");
});

Deno.test("what is filled in is read as the command line reads it; secrets are no words of it", () => {
  const filled: Record<string, string> = {
    "vm-id": "web",
    wax: "hard",
    "thickness-mb": "2G",
    helpers: "a, b",
    key: "s3cret",
  };
  const words = wordsOf(formFields(added), ({ flag }) => filled[flag] ?? "");
  assert.ok(!words.join(" ").includes("s3cret"));
  assert.deepEqual(readArguments(added, words).input, {
    vmId: "web",
    wax: "hard",
    thicknessMb: 2048,
    helpers: ["a", "b"],
  });
});

Deno.test("every command of the contract is there for who may call it, but those that let somebody in; none else", () => {
  const names = paletteVerbs(all, false).map(({ name }) => name);
  const missing = Object.keys(COMMANDS).filter((name) => !names.includes(name as CommandName));
  assert.deepEqual(
    missing.filter((name) => !/^(sign_in|confirm_sign_in|set_up|begin_passkey_sign_in)/.test(name)),
    [],
  );
  assert.deepEqual(paletteVerbs((name) => name === "start_vm", false).map(({ name }) => name), ["start_vm"]);
  assert.deepEqual(paletteVerbs(() => false, false), []);
});

Deno.test("every command has a form: each field once, what is needed first", () => {
  for (const verb of VERBS) {
    const fields = formFields(verb), flags = fields.map(({ flag }) => flag);
    assert.deepEqual(flags.filter((flag, index) => flags.indexOf(flag) !== index), [], verb.name);
    const firstFree = fields.findIndex(({ required }) => !required);
    assert.ok(firstFree < 0 || fields.slice(firstFree).every(({ required }) => !required), verb.name);
  }
});
