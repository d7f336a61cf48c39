/** RPM packages as bytes; what rpm itself says of them is in `tests/system/guest_agent_test.ts`. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { type RpmPackage, writeRpm } from "./write.ts";

const TOOLS = {
  gzip: (bytes: Uint8Array) => gzipSync(bytes, { level: 9 }),
  digest: (algorithm: string, bytes: Uint8Array) => createHash(algorithm).update(bytes).digest("hex"),
};
const MADE: RpmPackage = {
  name: "thing",
  version: "1.2.3",
  release: "1",
  architecture: "x86_64",
  modified: 1_577_836_800,
  summary: "a thing",
  description: "Two\nlines",
  license: "None",
  scripts: { afterInstall: "true\n", beforeRemove: "true\n" },
  files: [
    { path: "/usr/sbin/thing", content: new Uint8Array([1, 2, 3]), mode: 0o755 },
    { path: "/etc/thing/", content: new Uint8Array(), mode: 0o755 },
    {
      path: "/etc/thing/thing.conf",
      content: new TextEncoder().encode("a=1\n"),
      mode: 0o644,
      isConfig: true,
    },
  ],
};

/** The headers of a package: index entries by tag, and where each header ends. */
function headerAt(bytes: Uint8Array, at: number) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  assert.equal(view.getUint32(at), 0x8eade801);
  const count = view.getUint32(at + 8), size = view.getUint32(at + 12), store = at + 16 + count * 16;
  const tags = new Map(Array.from({ length: count }, (_, index) => {
    const entry = at + 16 + index * 16;
    return [view.getUint32(entry), store + view.getUint32(entry + 8)];
  }));
  return { tags, end: store + size };
}

Deno.test("an RPM package is the same each time, and its checksums are of what they say", () => {
  const bytes = writeRpm(MADE, TOOLS);
  assert.deepEqual(writeRpm(MADE, TOOLS), bytes);
  const signature = headerAt(bytes, 96),
    begin = Math.ceil(signature.end / 8) * 8,
    header = headerAt(bytes, begin);
  const textAt = (at: number) => new TextDecoder().decode(bytes.subarray(at, bytes.indexOf(0, at)));
  assert.equal(textAt(header.tags.get(1000)!), "thing");
  assert.equal(textAt(signature.tags.get(273)!), TOOLS.digest("sha256", bytes.subarray(begin, header.end)));
  const payload = bytes.subarray(header.end);
  assert.equal(textAt(header.tags.get(5092)!), TOOLS.digest("sha256", payload));
  const archive = new TextDecoder("latin1").decode(gunzipSync(payload));
  const names = [...archive.matchAll(/070701[0-9a-f]{104}([^\0]+)\0/g)].map(([, name]) => name);
  assert.deepEqual(names, ["./etc/thing", "./etc/thing/thing.conf", "./usr/sbin/thing", "TRAILER!!!"]);
  // Index entries are in the order of their tags, behind the region's own
  const [region, ...rest] = [...header.tags.keys()];
  assert.equal(region, 63);
  assert.deepEqual(rest, rest.toSorted((a, b) => a - b));
});
