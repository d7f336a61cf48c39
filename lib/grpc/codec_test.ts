import assert from "node:assert/strict";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import numbers from "./field_numbers.json" with { type: "json" };
import { Codec, NoMessage } from "./codec.ts";
import { contractFile } from "./contract_file.ts";
import { field, type ProtoMessage } from "./model.ts";

const MESSAGES: readonly ProtoMessage[] = [
  {
    name: "M",
    fields: [
      field(1, "text", "string"),
      field(2, "count", "int64", { presence: "optional" }),
      field(3, "list", "int64", { presence: "repeated" }),
      field(4, "inner", "M", { presence: "optional" }),
      field(5, "any", "google.protobuf.Value", { presence: "optional" }),
      field(6, "map", "string", { presence: "map" }),
      field(7, "list_is_empty", "bool", { json: "list", marks: "empty" }),
    ],
  },
];
const codec = new Codec([{ messages: MESSAGES, enums: [] }]);
const EMPTY = { text: "", map: {} };
const again = (value: unknown) => codec.decode("M", codec.encode("M", value));

Deno.test("any JSON is itself again", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 8 }), (any) => {
    // JSON has one zero
    const value = JSON.parse(JSON.stringify({ ...EMPTY, any }));
    assert.deepEqual(again(value), value);
  }));
});

Deno.test("a field named __proto__ is one like any other", () => {
  const value = JSON.parse('{"text":"","map":{"__proto__":"x"},"any":{"__proto__":{"polluted":true}}}');
  const read = again(value) as { any: object; map: object };
  assert.deepEqual([Object.keys(read.any), Object.keys(read.map)], [["__proto__"], ["__proto__"]]);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

Deno.test("an empty list is told from one that is left out", () => {
  assert.deepEqual(again({ ...EMPTY, list: [] }), { ...EMPTY, list: [] });
  assert.deepEqual(again(EMPTY), EMPTY);
  const both = new BinaryWriter().tag(3, WireType.Varint).int64(1).tag(7, WireType.Varint).bool(true)
    .finish();
  assert.throws(() => codec.decode("M", both), NoMessage);
});

Deno.test("lists are read packed and one by one; what is unknown is passed over; the last of a field counts", () => {
  const bytes = new BinaryWriter().tag(3, WireType.Varint).int64(1).tag(3, WireType.LengthDelimited).fork()
    .int64(2)
    .int64(3).join().tag(99, WireType.LengthDelimited).string("later").tag(1, WireType.LengthDelimited)
    .string("a")
    .tag(1, WireType.LengthDelimited).string("b").finish();
  assert.deepEqual(codec.decode("M", bytes), { text: "b", list: [1, 2, 3], map: {} });
});

Deno.test("bytes that are no message are refused, whatever they are", () => {
  const refused = (bytes: Uint8Array) => assert.throws(() => codec.decode("M", bytes), NoMessage);
  refused(new BinaryWriter().tag(2, WireType.Varint).int64("9007199254740993").finish());
  refused(new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(new Uint8Array([0xff, 0xfe])).finish());
  refused(new Uint8Array([0x0a, 0x7f, 0x41]));
  refused(new Uint8Array([0x08]));
  refused(new Uint8Array(10_000).fill(0x0b)); // groups in groups
  let deep = new Uint8Array();
  for (let at = 0; at < 200; at++) {
    deep = new BinaryWriter().tag(4, WireType.LengthDelimited).bytes(deep).finish() as Uint8Array<
      ArrayBuffer
    >;
  }
  refused(deep);
  for (const number of [NaN, Infinity]) {
    refused(
      new BinaryWriter().tag(5, WireType.LengthDelimited).fork().tag(2, WireType.Bit64).double(number).join()
        .finish(),
    );
  }
});

Deno.test("arbitrary bytes give a value or NoMessage, and nothing else", () => {
  const whole = new Codec([contractFile(numbers).file]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const type of ["CreateVmRequest", "UpdateVmRequest", "Event"]) {
        try {
          whole.decode(`kvmmanager.v1.${type}`, bytes);
        } catch (error) {
          assert.ok(error instanceof NoMessage, String(error));
        }
      }
    }),
    { numRuns: 2000 },
  );
});
