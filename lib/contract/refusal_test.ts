import assert from "node:assert/strict";
import Type from "typebox";
import { Compile } from "typebox/compile";
import { render } from "../i18n/message.ts";
import { VmConfig } from "./create.ts";
import { patternFault, schemaRefusals } from "./refusal.ts";

const validator = Compile(VmConfig);
const refusals = (input: unknown) =>
  schemaRefusals(VmConfig, validator, input).map(({ field, error }) => [
    field,
    error.code,
    error.message,
  ]);

Deno.test("schemaRefusals() has the contract's texts for the bounds of a VM", () => {
  const name = "Invalid VM name: must be 1-64 characters, alphanumeric with dash/underscore only";
  for (
    const bad of [
      "",
      "1a",
      "a b",
      "a/b",
      "ä",
      "a\n",
      "x".repeat(65),
      "a..b",
      ".a",
      "a.",
      "a./b",
      "$(id)",
      "-a",
      "--help",
    ]
  ) {
    assert.equal(validator.Check({ name: bad }), false, JSON.stringify(bad));
    assert.deepEqual(refusals({ name: bad })[0], ["name", "InvalidName", name], JSON.stringify(bad));
  }
  const details = schemaRefusals(VmConfig, validator, { name: "a b" })[0]?.error.details;
  assert.match(JSON.stringify(details), /"allowed":".*single dots/);
  for (const good of ["a", "_", "A-b_9", "a.b", "web-1.example.org", "x".repeat(64)]) {
    assert.ok(validator.Check({ name: good }), good);
  }
  const table: [object, string, string, string][] = [
    [{ cpuCount: 0 }, "cpuCount", "InvalidCpuCount", "Invalid CPU count: 0 (must be 1-256)"],
    [{ cpuCount: 257 }, "cpuCount", "InvalidCpuCount", "Invalid CPU count: 257 (must be 1-256)"],
    [{ cpuCount: -1 }, "cpuCount", "InvalidCpuCount", "Invalid CPU count: -1 (must be 1-256)"],
    [{ memoryMb: 127 }, "memoryMb", "InvalidMemorySize", "Invalid memory size: 127MB (minimum 128MB)"],
    [{ diskSizeGb: 0 }, "diskSizeGb", "InvalidDiskSize", "Invalid disk size: 0GB (minimum 1GB)"],
    [
      { disks: [{ sizeGb: 5 }, { sizeGb: 0 }] },
      "disks.1.sizeGb",
      "InvalidDiskSize",
      "Invalid disk size: 0GB (minimum 1GB)",
    ],
    [
      { graphics: "rdp" },
      "graphics",
      "InvalidInput",
      "Invalid input: graphics must be one of vnc, spice, none",
    ],
    [
      { disks: [{ bus: "x" }] },
      "disks.0.bus",
      "InvalidInput",
      "Invalid input: disks.0.bus must be one of virtio, scsi, sata, ide, usb",
    ],
    [{ cpuCount: "4" }, "cpuCount", "InvalidInput", "Invalid input: cpuCount must be a whole number"],
    [{ disks: [{ size: 1 }] }, "disks.0.size", "InvalidInput", 'Invalid input: unknown field "disks.0.size"'],
  ];
  for (const [input, ...expected] of table) assert.deepEqual(refusals({ name: "a", ...input })[0], expected);
  for (const { cpuCount, memoryMb, diskSizeGb } of [{ cpuCount: 256, memoryMb: 128, diskSizeGb: 1 }]) {
    assert.ok(validator.Check({ name: "a", cpuCount, memoryMb, diskSizeGb }));
  }
});

Deno.test("schemaRefusals() tells every field that is wrong", () => {
  assert.deepEqual(
    refusals({ name: "1", cpuCount: 0, memoryMb: 1, disks: [{ sizeGb: 0, bus: "x" }] }).map(([field]) =>
      field
    ),
    ["name", "cpuCount", "memoryMb", "disks.0.sizeGb", "disks.0.bus"],
  );
});

Deno.test("schemaRefusals() stays small for hostile input", () => {
  const hostile = JSON.parse('{"name": "a", "__proto__": 1, "constructor": {"x": 1}}');
  assert.deepEqual(refusals(hostile).map(([field]) => field), ["__proto__", "constructor"]);
  const many = { name: "a", disks: Array.from({ length: 24 }, () => ({ sizeGb: 0, ["x".repeat(9999)]: 1 })) };
  assert.ok(JSON.stringify(refusals(many)).length < 50_000);
  assert.deepEqual(refusals(null)[0], [
    "",
    "InvalidInput",
    "Invalid input: the input must be an object with fields",
  ]);
});

Deno.test("patternFault() says what is wrong with a text, not how the pattern is written", () => {
  const group = "^(?!\\s)(?!.*\\s$)[^\\u0000-\\u001f\\u007f]*$";
  const table: [pattern: string, value: unknown, said: string | undefined][] = [
    [group, "web", undefined],
    [group, " web", "begins or ends with a blank: remove it"],
    [group, "web\u00a0", "begins or ends with a blank: remove it"],
    [group, "a\nb", 'must not contain "\\n"'],
    ["^[^\\s,]+$", "a b,c", 'must not contain " ", ","'],
    ["^[0-9a-f]+$", "12xyz", 'must not contain "x", "y", "z"'],
    ["^[a-z][a-z0-9-]*$", "1a", undefined], // only its place is wrong
    ["^\\d{4}$", "12", undefined],
    ["^[a-z]+$", 7, undefined],
    ["^[a-z]+$", "A".repeat(100_000), undefined],
  ];
  for (const [pattern, value, said] of table) {
    const fault = patternFault(pattern, value);
    assert.equal(fault && render(fault), said, String(value).slice(0, 20));
  }
});

Deno.test("schemaRefusals() tells every bound in words, in none of the validator's", () => {
  const schema = Type.Object({
    a: Type.Integer({ minimum: 2, maximum: 67_108_864 }),
    b: Type.String({ minLength: 2, maxLength: 3 }),
    c: Type.Array(Type.String(), { minItems: 1, maxItems: 3, uniqueItems: true }),
    d: Type.Boolean(),
    e: Type.Literal("x"),
    f: Type.Number({ exclusiveMinimum: 0, multipleOf: 2 }),
    g: Type.String({ pattern: "^(\\d\\d):(\\d\\d)$", description: "time of day, as 03:30" }),
    h: Type.String({ pattern: "^[a-f]+x$" }),
    i: Type.Union([Type.Object({ j: Type.String() }), Type.Null()]),
    memoryMb: Type.Integer({ minimum: 128 }),
    seconds: Type.Integer({ minimum: 1, maximum: 3600 }),
  }, { additionalProperties: false });
  const own = Compile(schema);
  const good = {
    a: 2,
    b: "bb",
    c: ["c"],
    d: true,
    e: "x",
    f: 2,
    g: "03:30",
    h: "ax",
    i: null,
    memoryMb: 128,
    seconds: 1,
  };
  assert.ok(own.Check(good));
  const cases: [field: string, value: unknown, message: string][] = [
    ["a", 1, "a must be at least 2"],
    ["a", 1e9, "a must be at most 67,108,864"],
    ["a", 2.5, "a must be a whole number"],
    ["a", "2", "a must be a whole number"],
    ["b", "b", "b must have at least 2 characters"],
    ["b", "bbbb", "b must have at most 3 characters"],
    ["c", [], "c must not be empty"],
    ["c", ["1", "2", "3", "4"], "c must have at most 3 items"],
    ["c", ["1", "1"], "c must not have the same item twice"],
    ["c", "1", "c must be a list"],
    ["d", "yes", "d must be true or false"],
    ["e", "y", "e must be x"],
    ["f", 0, "f must be more than 0"],
    ["f", 3, "f must be a multiple of 2"],
    ["f", "3", "f must be a number"],
    ["g", "3:30", "g is not written as it has to be: time of day, as 03:30"],
    ["h", "x", "h has characters that are not allowed here"],
    ["memoryMb", 1, "memoryMb must be at least 128 MiB"],
    ["seconds", 0, "seconds must be at least 1 second"],
    ["seconds", 3601, "seconds must be at most 3,600 seconds"],
  ];
  for (const [field, value, message] of cases) {
    const input = { ...good, [field]: value };
    const [first] = schemaRefusals(schema, own, input);
    assert.deepEqual([first!.field, first!.error.message], [field, `Invalid input: ${message}`]);
  }
  const input = { ...good, i: 5 };
  for (const { error: { message } } of schemaRefusals(schema, own, input)) {
    assert.doesNotMatch(message, /schema|anyOf|[<>]=|\^/);
  }
});
