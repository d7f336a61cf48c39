import assert from "node:assert/strict";
import { Compile } from "typebox/compile";
import type { TSchema } from "typebox";
import { type Command, COMMANDS, ERRORS, EVENTS, ROLES } from "./mod.ts";
import { profileCommands } from "./profiles.ts";
import { toolCommands, toolUseCommands } from "./tools.ts";
import { inputFields, requiredFields, REST_ROUTES } from "./rest.ts";

const ALL = Object.entries(COMMANDS) as [string, Command][];
const twice = (values: readonly string[]) => values.filter((value, index) => values.indexOf(value) !== index);

/** Commands that have names and fields of an interface that was written elsewhere: profiles, and tools in them. */
const OTHERS_FIELDS: ReadonlySet<string> = new Set(
  Object.keys({ ...profileCommands, ...toolCommands, ...toolUseCommands }),
);

Deno.test("COMMANDS have snake_case names, camelCase fields, a summary and a role", () => {
  for (const [name, command] of ALL) {
    assert.match(name, /^[a-z]+(_[a-z]+)*$/);
    const isName = OTHERS_FIELDS.has(name) ? /^[a-z]+(_[a-z]+)*$/ : /^[a-z][a-zA-Z0-9]*$/;
    for (const field of Object.keys(inputFields(command))) assert.match(field, isName, name);
    assert.match(command.summary, /^[A-Z].*[^.]$/, name);
    assert.ok(ROLES.includes(command.role), name);
  }
});

Deno.test("COMMANDS each have a REST route and CLI words of their own", () => {
  // A place's name does not tell two routes apart: /vms/{vmId} and /vms/{id} are one.
  assert.deepEqual(twice(ALL.map(([, { route }]) => route.replaceAll(/\{\w+\}/g, "{}"))), []);
  assert.deepEqual(
    twice(ALL.map(([, { cli }]) => cli.filter((word) => !word.startsWith("<")).join(" "))),
    [],
  );
  for (const [name, { route, cli }] of ALL) {
    assert.match(route, /^(GET|POST|PUT|PATCH|DELETE) (\/([a-z-]+|\{\w+\}))+$/, name);
    assert.match(cli.join(" "), /^[a-z-]+( [a-z-]+)*( <\w+(\.\.\.)?>)*$/, name);
  }
});

Deno.test("COMMANDS name only fields of their input in path and CLI, and path fields must be given", () => {
  for (const { name, command, pathFields } of REST_ROUTES) {
    for (const field of pathFields) assert.ok(requiredFields(command).includes(field), `${name}: ${field}`);
    const positional = command.cli.filter((word) => word.startsWith("<")).map((word) =>
      word.replace(/^<(\w+).*$/, "$1")
    );
    for (const field of positional) {
      assert.ok(Object.hasOwn(inputFields(command), field), `${name}: ${field}`);
    }
  }
});

/**
 * Changes nothing, but its input is no address: it is long, and its secrets do not belong into one; or it needs no
 * sign-in and gives something that is good once, which another site's page must not be able to ask for.
 */
const ASKED_BY_POST: ReadonlySet<string> = new Set([
  "check_vm_xml",
  "begin_passkey_sign_in",
  "plan_maintenance",
  "list_foreign_vms",
  "inspect_foreign_vm",
  "preview_import",
]);

Deno.test("COMMANDS that change nothing are GET, but where no query can hold their input; the others are not", () => {
  for (const { name, command, method } of REST_ROUTES) {
    const nested = ASKED_BY_POST.has(name) || Object.values(inputFields(command)).some((schema) => {
      const { type } = schema as { type?: string };
      return type === undefined || type === "object";
    });
    if (command.readOnly) assert.equal(method, nested ? "POST" : "GET", name);
    else assert.notEqual(method, "GET", name);
  }
});

Deno.test("COMMANDS that change something need more than a viewer", () => {
  // What is one's own (the session, the password) changes by one's own rights, whatever they are.
  const own = (permission: string | undefined) => permission === "anyone" || permission === "signed-in";
  for (const [name, { readOnly, role, permission }] of ALL) {
    if (!readOnly && !own(permission)) assert.notEqual(role, "viewer", name);
  }
});

/** Commands that let a VM grow, or put it into another project: a quota may refuse them, maintenance does not. */
const GROWING = ["attach_disk", "resize_disk", "set_vm_project", "set_vm_xml", "update_vm"];

Deno.test("COMMANDS that a quota may refuse bring a VM, which a host in maintenance refuses, too, or let one grow", () => {
  const quota = ALL.filter(([, { errors }]) => errors.includes("QuotaExceeded"));
  const growing = quota.filter(([, { errors }]) => !errors.includes("HostInMaintenance"));
  assert.deepEqual(growing.map(([name]) => name).toSorted(), GROWING);
});

Deno.test("COMMANDS name only errors that exist", () => {
  for (const [name, { errors }] of ALL) {
    for (const code of errors) assert.ok(Object.hasOwn(ERRORS, code), `${name}: ${code}`);
    assert.deepEqual(twice(errors), [], name);
  }
});

/** Every object schema in a schema. */
function objects(schema: unknown, found: Record<string, unknown>[] = []): Record<string, unknown>[] {
  if (typeof schema !== "object" || schema === null) return found;
  const record = schema as Record<string, unknown>;
  if (record.type === "object") found.push(record);
  for (const value of Object.values(record)) objects(value, found);
  return found;
}

Deno.test("COMMANDS take closed objects, at every depth (threat 9, mass assignment)", () => {
  for (const [name, { input }] of ALL) {
    assert.equal((input as { type?: string }).type, "object", name);
    for (const object of objects(input)) assert.equal(object.additionalProperties, false, name);
  }
});

/** Every text and list schema in a schema. */
function unbounded(schema: unknown, at = ""): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { type, maxLength, maxItems, enum: words } = schema as Record<string, unknown>;
  const open = (type === "string" && maxLength === undefined && words === undefined) ||
    (type === "array" && maxItems === undefined);
  return [
    ...(open ? [at] : []),
    ...Object.entries(schema).flatMap(([key, value]) => unbounded(value, `${at}/${key}`)),
  ];
}

Deno.test("COMMANDS bound every text and list they take (fault 17)", () => {
  for (const [name, { input }] of ALL) assert.deepEqual(unbounded(input), [], name);
});

Deno.test("COMMANDS and EVENTS have schemas that can be checked", () => {
  const schemas: [string, TSchema][] = [
    ...ALL.flatMap(([name, { input, output }]): [string, TSchema][] => [[name, input], [name, output]]),
    ...Object.entries(EVENTS).map(([name, { data }]): [string, TSchema] => [name, data]),
  ];
  for (const [name, schema] of schemas) assert.equal(Compile(schema).Check(Symbol(name)), false, name);
});

/** Whether a schema has a part, by its path with dots. */
function hasPart(schema: unknown, path: string): boolean {
  let at = schema as { properties?: Record<string, unknown>; anyOf?: { type?: string }[] } | undefined;
  for (const name of path.split(".")) {
    if (at?.properties === undefined) at = at?.anyOf?.find(({ type }) => type === "object") as typeof at;
    at = at?.properties?.[name] as typeof at;
  }
  return at !== undefined;
}

Deno.test("COMMANDS name only fields of theirs for the command line, and words that no other command has", () => {
  const verbs = new Set(ALL.map(([, { cli }]) => cli.filter((word) => !word.startsWith("<")).join(" ")));
  const aliases = ALL.flatMap(([, { aliases = [] }]) => aliases);
  assert.deepEqual(twice(aliases), []);
  assert.deepEqual(aliases.filter((words) => verbs.has(words)), []);
  for (const [name, { input, output, places = [], flags = {}, exampleFields = [], file, makesVm }] of ALL) {
    const taken = [
      ...places.map((place) => place.replace(/^[<[](\w+).*$/, "$1")),
      ...Object.values(flags),
      ...exampleFields,
    ];
    for (const field of taken) assert.ok(hasPart(input, field), `${name} takes no ${field}`);
    const given = [file?.field, makesVm].filter((field) => field !== undefined);
    for (const field of given) assert.ok(hasPart(output, field), `${name} gives no ${field}`);
  }
});

Deno.test("COMMANDS that list tell what is looked up in the list, each field in one list", () => {
  const lists = ALL.filter(([, { lookup }]) => lookup !== undefined);
  assert.deepEqual(twice(lists.flatMap(([, { lookup }]) => lookup!.fields)), []);
  for (const [name, { lookup, output, readOnly, rows }] of lists) {
    const { fields: named, by, more, missing } = lookup!, within = lookup!.in ?? rows;
    assert.ok(readOnly, name);
    for (const field of named) {
      assert.ok(ALL.some(([, { input }]) => hasPart(input, field)), `nothing takes ${field}`);
    }
    const list = within === undefined
      ? output
      : (output as { properties?: Record<string, unknown> }).properties?.[within];
    const { items } = list as { items?: unknown };
    for (const field of [by, more, missing === undefined ? undefined : "id"]) {
      assert.ok(field === undefined || hasPart(items, field), `${name} lists no ${field}`);
    }
    if (missing !== undefined) assert.equal(within, undefined, `${name}: names are resolved in a plain list`);
  }
});

Deno.test("COMMANDS that check take the fields of what they check, and images are named alike everywhere", () => {
  const CHECKED = {
    check_vm_config: "create_vm",
    check_network: "create_network",
    check_vm_xml: "set_vm_xml",
  } as const;
  for (const [check, checked] of Object.entries(CHECKED)) {
    const [is, wanted] = [check, checked].map((name) => inputFields(COMMANDS[name as keyof typeof COMMANDS]));
    assert.deepEqual(Object.keys(is!).sort(), Object.keys(wanted!).sort(), check);
  }
  const unlisted = ALL.filter(([name]) => name.startsWith("check_") && !(name in CHECKED));
  assert.deepEqual(unlisted, []);
  const attach = inputFields(COMMANDS.attach_disk),
    { items } = inputFields(COMMANDS.create_vm).disks as unknown as {
      items: { properties: Record<string, unknown> };
    };
  for (const field of ["path", "backingFile"]) {
    assert.deepEqual(attach[field], items.properties[field], field);
  }
});

Deno.test("EVENTS have kebab-case names", () => {
  for (const name of Object.keys(EVENTS)) assert.match(name, /^[a-z]+(-[a-z]+)*$/);
});
