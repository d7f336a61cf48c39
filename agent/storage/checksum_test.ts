import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { RunningChecksum } from "./checksum.ts";
import { ChunkWriter } from "./chunk_writer.ts";

function piece(length: number): Uint8Array<SharedArrayBuffer> {
  const bytes = new Uint8Array(new SharedArrayBuffer(length));
  bytes.set(crypto.getRandomValues(new Uint8Array(length)));
  return bytes;
}

/** Threads of this process. */
const threads = () => [...Deno.readDirSync("/proc/self/task")].length;

Deno.test("Checksum.sha256() is the one of all that went through, and then it is over", async () => {
  using checksum = new RunningChecksum();
  const filler = new ChunkWriter([checksum]);
  const expected = createHash("sha256");
  for (let step = 1; step < 3_000_000; step *= 3) {
    const bytes = crypto.getRandomValues(new Uint8Array(Math.min(step, 65_536)));
    expected.update(bytes);
    await filler.put(bytes);
  }
  await filler.flush();
  assert.equal(await checksum.sha256(), expected.digest("hex"));
  await assert.rejects(checksum.sha256(), /the checksum cannot be counted: it is over/);
  await assert.rejects(
    checksum.give(new Uint8Array(new SharedArrayBuffer(1))),
    /the checksum cannot be counted: it is over/,
  );
});

Deno.test("Checksums that wait for more share one worker, and each keeps its own count", async () => {
  using first = new RunningChecksum();
  await first.give(piece(1));
  const before = threads();
  const waiting = Array.from(
    { length: 12 },
    () => ({ checksum: new RunningChecksum(), expected: createHash("sha256") }),
  );
  for (let round = 0; round < 3; round++) {
    await Promise.all(waiting.map(async ({ checksum, expected }) => {
      const bytes = piece(60_000);
      expected.update(bytes);
      await checksum.give(bytes);
    }));
  }
  // The runtime may have taken a few of its own meanwhile; a worker each would be twelve more.
  assert.ok(threads() - before < waiting.length, `${before} threads became ${threads()}`);
  waiting.shift()!.checksum[Symbol.dispose]();
  for (const { checksum, expected } of waiting) {
    assert.equal(await checksum.sha256(), expected.digest("hex"));
    checksum[Symbol.dispose]();
  }
});

Deno.test("Checksum[Symbol.dispose]() of the last one ends the worker; the next one begins another", async () => {
  const ended = new RunningChecksum();
  await ended.give(piece(10));
  ended[Symbol.dispose]();
  ended[Symbol.dispose]();
  await assert.rejects(ended.give(piece(1)), /it is over/);
  using next = new RunningChecksum();
  const bytes = piece(10);
  await next.give(bytes);
  assert.equal(await next.sha256(), createHash("sha256").update(bytes).digest("hex"));
});
