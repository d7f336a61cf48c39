/** Forms of every noun: names and texts arrive as they were typed, and the contract says what is wrong with them. */
import assert from "node:assert/strict";
import { Compile } from "typebox/compile";
import { type CommandName, COMMANDS } from "../contract/mod.ts";
import { schemaRefusals } from "../contract/refusal.ts";
import { networkIn, settingsIn } from "../network/network_form.ts";
import { cloudInitOf } from "../vm/cloud_init/form_data.ts";
import { formInput } from "./form_input.ts";
import { enteredIn, textIn, trimmedIn } from "./form_fields.ts";

type Fields = Readonly<Record<string, string>>;

function formOf(fields: Fields): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
}

/** Input of a form that is one command. */
const asked = (command: "add_port_forward" | "attach_disk" | "download_image", form: FormData): unknown =>
  formInput(COMMANDS[command], form);

const BLANK = / begins or ends with a blank: remove it$/;
const NO_SETTINGS = { localDomain: false, forwarders: [], dnsHosts: [] };

/** Form, field, the command's field that it becomes, and whether blanks at its ends are refused there. */
const TABLE: readonly {
  readonly command: CommandName;
  readonly read: (form: FormData) => unknown;
  readonly field: string;
  /** Steps to it in the input. */
  readonly at: string;
  readonly rest?: Fields;
  readonly isTaken?: true;
}[] = [
  { command: "create_network", read: networkIn, field: "name", at: "name" },
  { command: "create_network", read: networkIn, field: "bridge", at: "bridge" },
  { command: "create_network", read: networkIn, field: "domain", at: "domain" },
  { command: "update_network", read: (form) => settingsIn(form, NO_SETTINGS), field: "domain", at: "domain" },
  {
    command: "add_port_forward",
    read: (form) => asked("add_port_forward", form),
    field: "description",
    at: "description",
    isTaken: true,
  },
  { command: "download_image", read: (form) => asked("download_image", form), field: "name", at: "name" },
  {
    command: "download_image",
    read: (form) => asked("download_image", form),
    field: "pool",
    at: "pool",
    isTaken: true,
  },
  {
    command: "attach_disk",
    read: (form) => asked("attach_disk", form),
    field: "create.pool@create",
    at: "create.pool",
    rest: { ":part": "create" },
    isTaken: true,
  },
  ...["hostname", "timezone", "locale"].map((field) => ({
    command: "set_cloud_init" as const,
    read: (form: FormData) => ({ cloudInit: cloudInitOf(form) }),
    field: `ci.form.${field}`,
    at: `cloudInit.form.${field}`,
  })),
  ...["name", "fullName", "shell"].map((field) => ({
    command: "set_cloud_init" as const,
    read: (form: FormData) => ({ cloudInit: cloudInitOf(form) }),
    field: `ci.form.users.0.${field}`,
    at: `cloudInit.form.users.0.${field}`,
    rest: { "ci.form.users.0.name": "ann" },
  })),
  {
    command: "set_cloud_init",
    read: (form) => ({ cloudInit: cloudInitOf(form) }),
    field: "ci.form.runCommands",
    at: "cloudInit.form.runCommands.0",
    isTaken: true,
  },
];

const valueAt = (value: unknown, at: string) =>
  at.split(".").reduce<unknown>((of, step) => (of as Record<string, unknown> | undefined)?.[step], value);

Deno.test("what is typed as a name or a text arrives with its blanks, and is refused by its name or taken", () => {
  for (const { command, read, field, at, rest, isTaken } of TABLE) {
    const about = `${command} ${field}`;
    for (
      const [typed, isOdd] of [["a b ", true], [" ab", true], ["ab\u00a0", true], ["ab", false]] as const
    ) {
      const input = read(formOf({ ...rest, [field]: typed }));
      assert.equal(valueAt(input, at), typed, about);
      const schema = COMMANDS[command].input;
      const refusals = schemaRefusals(schema, Compile(schema), input)
        .filter((each) => each.field === at);
      if (!isOdd) continue;
      if (isTaken) {
        // A serial takes letters; blanks of other alphabets are none.
        if (typed.includes("\u00a0")) continue;
        assert.deepEqual(refusals, [], about);
      } else {
        const [refusal = assert.fail(`not refused: ${about}`)] = refusals;
        // Some names have a text of their own.
        if (refusal.error.code === "InvalidInput") assert.match(refusal.error.message, BLANK, about);
      }
    }
  }
});

Deno.test("names of accounts are not changed either: who signs in is told of the blank", () => {
  for (
    const [command, rest] of [["sign_in", {}], ["set_up", { key: "k" }], ["rename_passkey", {
      passkeyId: "p",
    }]] as const
  ) {
    const schema = COMMANDS[command].input;
    for (const name of ["ann ", " ann", "ann\u00a0"]) {
      const input = { ...rest, name, ...(command !== "rename_passkey" && { password: "x" }) };
      const refusals = schemaRefusals(schema, Compile(schema), input);
      assert.deepEqual(refusals.map(({ field }) => field), ["name"], command);
      assert.match(refusals[0]!.error.message, BLANK, command);
    }
  }
});

Deno.test("textIn() and enteredIn() keep blanks; trimmedIn() is for what has none", () => {
  const form = formOf({ name: " a ", empty: "", blank: " " });
  assert.deepEqual([textIn(form, "name"), enteredIn(form, "name"), trimmedIn(form, "name")], [
    " a ",
    " a ",
    "a",
  ]);
  assert.deepEqual([enteredIn(form, "empty"), enteredIn(form, "blank"), enteredIn(form, "none")], [
    undefined,
    " ",
    undefined,
  ]);
});
