import assert from "node:assert/strict";
import fc from "fast-check";
import { ForbiddenCallError, MIGRATION_CALLS, MigrationCalls } from "./libvirt_rpc.ts";

const REMOTE = 0x20008086, KEEPALIVE = 0x6b656570;

/** A message as libvirt sends it. */
function message(
  procedure: number,
  { program = REMOTE, type = 0, payload = 0, ...wrong }: {
    readonly program?: number;
    readonly type?: number;
    readonly payload?: number;
    readonly length?: number;
  } = {},
) {
  const { length = 28 + payload } = wrong,
    bytes = new Uint8Array(28 + payload),
    view = new DataView(bytes.buffer);
  [length, program, 1, procedure, type, 7, 0].forEach((word, index) => view.setUint32(index * 4, word));
  return bytes;
}

function joined(...all: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(all.reduce((sum, each) => sum + each.length, 0));
  let at = 0;
  for (const each of all) {
    whole.set(each, at);
    at += each.length;
  }
  return whole;
}

const PREPARE = MIGRATION_CALLS.DOMAIN_MIGRATE_PREPARE3_PARAMS!, OPEN = MIGRATION_CALLS.CONNECT_OPEN!;
/** DOMAIN_DEFINE_XML, DOMAIN_DESTROY */
const OTHERS = [11, 12];

Deno.test("MigrationCalls lets the calls of a migration pass, in whatever pieces they come", () => {
  const whole = joined(
    message(OPEN, { payload: 40 }),
    message(1, { program: KEEPALIVE }),
    message(PREPARE, { payload: 5000 }),
    message(MIGRATION_CALLS.CONNECT_CLOSE!),
  );
  fc.assert(fc.property(fc.array(fc.nat(whole.length)), (cuts) => {
    const calls = new MigrationCalls(), places = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
    for (const [index, place] of places.slice(1).entries()) calls.take(whole.subarray(places[index]!, place));
  }));
});

Deno.test("MigrationCalls lets nothing else pass, wherever it stands", () => {
  const wrong = [
    ...OTHERS.map((procedure) => message(procedure)),
    message(PREPARE, { program: 0x20008087 }),
    // A stream, and an answer
    message(PREPARE, { type: 3 }),
    message(PREPARE, { type: 1 }),
    message(PREPARE, { length: 27 }),
    message(PREPARE, { length: 0xffffffff }),
  ];
  for (const each of wrong) {
    assert.throws(() => new MigrationCalls().take(each), ForbiddenCallError);
    // Behind one that passes, and byte by byte
    const calls = new MigrationCalls(), later = joined(message(OPEN, { payload: 12 }), each);
    assert.throws(() => {
      for (const byte of later) calls.take(Uint8Array.of(byte));
    }, ForbiddenCallError);
  }
});
