/** Every type of the contract as a message and back: what is read is what was written. */
import assert from "node:assert/strict";
import Type from "typebox";
import { command, COMMANDS, EVENTS } from "../contract/mod.ts";
import { requiredFields } from "../contract/rest.ts";
import { closed } from "../contract/schema.ts";
import { OWN_SAMPLES, SAMPLES } from "../contract/testing.ts";
import numbers from "./field_numbers.json" with { type: "json" };
import { Codec } from "./codec.ts";
import { contractFile, eventField, PACKAGE } from "./contract_file.ts";
import { pascalName } from "./model.ts";
import { protoText } from "./proto_text.ts";
import type { JsonSchema } from "./schema_messages.ts";

const { file, methods } = contractFile(numbers);
const codec = new Codec([file]);

/** Variants of a sample: as few values as possible, all of them, or empty and null values wherever allowed. */
const VARIANTS = ["least", "full", "empty"] as const;
type Variant = typeof VARIANTS[number];

/** A value of a schema. */
function sample(schema: JsonSchema, variant: Variant): unknown {
  const { anyOf } = schema;
  if (anyOf !== undefined) {
    const nullable = anyOf.some(({ type }) => type === "null");
    if (nullable && variant !== "full") return null;
    return sample(anyOf.findLast(({ type }) => type !== "null")!, variant);
  }
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum.at(variant === "least" ? 0 : -1);
  switch (schema.type) {
    case "string":
      return variant === "full" ? "ä \u{1F600} text" : "";
    case "integer":
      return variant === "full" ? 1_795_819_339_848 : variant === "least" ? 0 : -1;
    case "number":
      return variant === "full" ? 0.1 : 0;
    case "boolean":
      return variant === "full";
    case "null":
      return null;
    case "array":
      return variant === "full" ? [sample(schema.items!, "full"), sample(schema.items!, "least")] : [];
    case "object":
      return objectSample(schema, variant);
    default:
      return { any: [null, 1.5, "x", { deep: [true] }] };
  }
}

function objectSample(schema: JsonSchema, variant: Variant): unknown {
  const { properties = {}, required = [], patternProperties, additionalProperties } = schema;
  const values = Object.values(patternProperties ?? {})[0] ??
    (typeof additionalProperties === "object" ? additionalProperties : undefined);
  if (Object.keys(properties).length === 0 && values !== undefined) {
    return variant === "full" ? { one: sample(values, "full"), "": sample(values, "least") } : {};
  }
  const names = Object.keys(properties).filter((name) => variant !== "least" || required.includes(name));
  return Object.fromEntries(names.map((name) => [name, sample(properties[name]!, variant)]));
}

const holds = (type: string, value: unknown, what: string) =>
  assert.deepEqual(codec.decode(type, codec.encode(type, value)), value, what);

const typeOf = (name: string) => `${PACKAGE}.${name}`;

for (const variant of VARIANTS) {
  Deno.test(`every input is itself again: ${variant}`, () => {
    for (const [name, { input }] of Object.entries(COMMANDS)) {
      holds(
        typeOf(`${pascalName(name)}Request`),
        sample(input as JsonSchema, variant),
        `${name}, ${variant}`,
      );
    }
  });

  Deno.test(`every answer is itself again: ${variant}`, () => {
    for (const [name, { output }] of Object.entries(COMMANDS)) {
      holds(typeOf(`${pascalName(name)}Reply`), sample(output as JsonSchema, variant), `${name}, ${variant}`);
    }
  });

  Deno.test(`every event is itself again: ${variant}`, () => {
    for (const [name, { data }] of Object.entries(EVENTS)) {
      const event = { [eventField(name)]: sample(data as JsonSchema, variant) };
      assert.deepEqual(codec.decode(typeOf("Event"), codec.encode(typeOf("Event"), event)), event, name);
    }
  });
}

Deno.test("the inputs that tests call commands with are themselves again", () => {
  for (const [name, each] of Object.entries(COMMANDS)) {
    const own = OWN_SAMPLES[name] ?? {};
    const input = Object.fromEntries(
      requiredFields(each).map((field) => [field, own[field] ?? SAMPLES[field]]),
    );
    const { properties = {} } = each.input as JsonSchema;
    // A field may have another type than the one of its name; such a sample is none of this command
    const fitting = Object.fromEntries(
      Object.entries(input).filter(([field, value]) => {
        const { type } = properties[field]!;
        const is = Array.isArray(value) ? "array" : typeof value === "number" ? "integer" : typeof value;
        return type === is;
      }),
    );
    holds(typeOf(`${pascalName(name)}Request`), fitting, name);
  }
});

Deno.test("every command has a method, and what streams has one", () => {
  const names = new Set(methods.map(({ command }) => command));
  for (const name of Object.keys(COMMANDS)) assert.ok(names.has(name), name);
  const streams = methods.filter(({ clientStreams, serverStreams }) => clientStreams || serverStreams);
  for (
    const name of [
      "Console",
      "WatchEvents",
      "WatchMetrics",
      "UploadVolume",
      "DownloadVolume",
      "GuestExecLines",
    ]
  ) {
    assert.ok(streams.some((each) => each.name === name), name);
  }
  assert.equal(new Set(methods.map(({ name }) => name)).size, methods.length);
});

Deno.test("fields have names and numbers of their own, within what Protocol Buffers allow", () => {
  for (const { name, fields, reserved = [] } of file.messages) {
    const all = [...fields.map(({ number }) => number), ...reserved.map(({ number }) => number)];
    assert.equal(new Set(all).size, all.length, name);
    assert.ok(all.every((number) => number >= 1 && number < 19_000), name);
    assert.equal(new Set(fields.map((each) => each.name)).size, fields.length, name);
    for (const each of fields) assert.match(each.name, /^[a-z][a-z0-9_]*$/, name);
  }
});

Deno.test("a command that is added appears by itself", () => {
  const added = command({
    summary: "Paint a VM",
    role: "operator",
    input: closed({ vmId: Type.String(), colour: Type.Optional(Type.String()) }),
    output: Type.Object({ layers: Type.Array(Type.Union([Type.Number(), Type.Null()])) }),
    errors: [],
    route: "POST /vms/{vmId}/paint",
    cli: ["vm", "paint", "<vmId>"],
    readOnly: false,
  });
  const more = contractFile(numbers, { ...COMMANDS, paint_vm: added });
  assert.ok(protoText(more.file).includes("rpc PaintVm(PaintVmRequest) returns (PaintVmReply);"));
  const own = new Codec([more.file]), answer = { layers: [1.5, null, 0] };
  assert.deepEqual(own.decode(typeOf("PaintVmReply"), own.encode(typeOf("PaintVmReply"), answer)), answer);
  const before = new Map(file.messages.map((each) => [each.name, each]));
  for (const each of more.file.messages) {
    const known = before.get(each.name);
    if (known !== undefined) assert.deepEqual(each, known, each.name);
  }
});

Deno.test("protoText() has types, comments and names as JSON has them", () => {
  const text = protoText(file);
  assert.match(text, /^syntax = "proto3";$/m);
  assert.match(text, /^ {2}optional string vm_id = 1;$/m);
  assert.match(text, /^ {2}repeated VM items = 1;$/m);
  assert.match(text, /string state = \d+;/);
  assert.match(text, /One of "running", "stopped"/);
  assert.match(text, /^ {4}bytes data = 2;$/m);
});
