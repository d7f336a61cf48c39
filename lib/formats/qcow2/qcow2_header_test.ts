import assert from "node:assert/strict";
import { HEAD_BYTES, headRefusal, ImageError, looksLikeQcow2, readQcow2Header } from "./qcow2_header.ts";

/** Fields of a made-up header. */
interface Head {
  readonly version?: number;
  readonly features?: bigint;
  readonly backing?: string;
  readonly backingOffset?: bigint;
  readonly crypt?: number;
  readonly extensions?: readonly [type: number, data: string, length?: number][];
  readonly headerLength?: number;
}

/** The start of an image as docs/interop/qcow2.rst lays it out. */
function head({ version = 3, features = 0n, backing = "", crypt = 0, extensions = [], ...odd }: Head = {}) {
  const bytes = new Uint8Array(4096), view = new DataView(bytes.buffer);
  const encoder = new TextEncoder();
  const length = odd.headerLength ?? (version === 3 ? 104 : 72);
  view.setUint32(0, 0x514649fb);
  view.setUint32(4, version);
  view.setUint32(20, 16);
  view.setBigUint64(24, 1n << 30n);
  view.setUint32(32, crypt);
  if (version === 3) {
    view.setBigUint64(72, features);
    view.setUint32(100, length);
  }
  let at = length;
  for (const [type, data, claimed] of extensions) {
    const content = encoder.encode(data);
    view.setUint32(at, type);
    view.setUint32(at + 4, claimed ?? content.length);
    bytes.set(content, at + 8);
    at += 8 + Math.ceil(content.length / 8) * 8;
  }
  if (backing !== "") {
    const name = encoder.encode(backing);
    view.setBigUint64(8, odd.backingOffset ?? 2048n);
    view.setUint32(16, name.length);
    bytes.set(name, 2048);
  }
  return bytes;
}

const refusal = (given: Head) => headRefusal(readQcow2Header(head(given)));

Deno.test("readQcow2Header() reads size, backing file and its format", () => {
  const found = readQcow2Header(
    head({ backing: "base.qcow2", extensions: [[0xe2792aca, "qcow2"], [0, ""]] }),
  );
  assert.deepEqual(found, {
    version: 3,
    virtualSize: 1n << 30n,
    backingFile: "base.qcow2",
    backingFormat: "qcow2",
    externalData: false,
    corrupt: false,
    encrypted: false,
  });
  assert.equal(readQcow2Header(head({ version: 2 })).backingFile, undefined);
});

Deno.test("headRefusal() allows an image that names nothing, or a plain file", () => {
  assert.equal(refusal({}), null);
  assert.equal(refusal({ backing: "base.img" }), null);
  assert.equal(refusal({ backing: "/dir/base.img" }), null);
});

Deno.test("headRefusal() refuses what reaches for something else (threat 1)", () => {
  const table: [Head, RegExp][] = [
    [{ features: 1n << 2n }, /data in another file/],
    [{ extensions: [[0x44415441, "/etc/shadow"]] }, /data in another file/],
    [{ extensions: [[0x6803f857, "names"], [0x44415441, "/etc/shadow"]] }, /data in another file/],
    [{ features: 1n << 1n }, /corrupt/],
    [{ crypt: 2 }, /encrypted/],
    [{ backing: 'json:{"driver":"raw"}' }, /no plain file/],
    [{ backing: "nbd://host/x" }, /no plain file/],
    [{ backing: "FILE:/dir/base.img" }, /no plain file/],
  ];
  for (const [given, reason] of table) {
    assert.match(refusal(given) ?? "allowed", reason, JSON.stringify(given, (_, v) => String(v)));
  }
});

Deno.test("readQcow2Header() refuses what it does not wholly understand", () => {
  const table: [Uint8Array, RegExp][] = [
    [new Uint8Array(0), /not a qcow2/],
    [new TextEncoder().encode("KDMV".padEnd(4096)), /not a qcow2/],
    [head({ version: 1 }), /version 1/],
    [head({ version: 4 }), /version 4/],
    [head().subarray(0, 90), /cut short/],
    [head({ features: 1n << 5n }), /not known/],
    [head({ features: 1n << 63n }), /not known/],
    [head({ headerLength: 40 }), /length is wrong/],
    [head({ backing: "x", backingOffset: 1n << 60n }), /not where the format has it/],
    [head({ backing: "x".repeat(1024) }), /not where the format has it/],
    [head({ extensions: [[0x1234, "", 0xffffffff]] }), /cut short/],
  ];
  for (const [bytes, reason] of table) {
    assert.throws(() => readQcow2Header(bytes), (error) => {
      assert.ok(error instanceof ImageError);
      assert.match(error.message, reason);
      return true;
    });
  }
});

Deno.test("readQcow2Header() ends with an answer or an ImageError, whatever the bytes", () => {
  const valid = head({ backing: "b", extensions: [[0xe2792aca, "raw"], [0, ""]] });
  let refused = 0;
  for (let round = 0; round < 3000; round++) {
    const bytes = valid.slice(0, round % 2 === 0 ? valid.length : Math.floor(Math.random() * HEAD_BYTES));
    const limit = Math.min(bytes.length, 160);
    for (let flips = 0; flips < 4 && limit > 8; flips++) {
      bytes[8 + Math.floor(Math.random() * (limit - 8))] = Math.floor(Math.random() * 256);
    }
    try {
      readQcow2Header(bytes);
    } catch (error) {
      assert.ok(error instanceof ImageError, String(error));
      refused++;
    }
  }
  assert.ok(refused > 0);
  assert.equal(looksLikeQcow2(valid.subarray(0, 4)), false);
});
