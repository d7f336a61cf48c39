import assert from "node:assert/strict";
import { PieceSource } from "./piece_source.ts";

const piece = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array | null) => bytes === null ? null : new TextDecoder().decode(bytes);

Deno.test("PieceSource gives the pieces of a stream, each told of before", async () => {
  const told: string[] = [];
  const source = new PieceSource(ReadableStream.from([piece("a"), piece("b")]), (bytes) => {
    told.push(text(bytes)!);
    return Promise.resolve();
  });
  assert.equal(text(await source.next()), "a");
  assert.deepEqual(told, ["a"]);
  assert.equal(text(await source.next()), "b");
  assert.equal(await source.next(), null);
  assert.equal(await source.next(), null);
  assert.equal(source.fault, undefined);
});

Deno.test("PieceSource ends where the stream fails, and keeps why", async () => {
  const cut = new Error("cut");
  const source = new PieceSource(
    new ReadableStream({ pull: (controller) => controller.error(cut) }),
    () => Promise.resolve(),
  );
  assert.equal(await source.next(), null);
  assert.equal(source.fault, cut);
});

Deno.test("PieceSource fails the piece that is waited for when it is interrupted, and cancels the stream", async () => {
  let cancelled: unknown;
  const source = new PieceSource(
    new ReadableStream({ pull: () => new Promise(() => {}), cancel: (reason) => void (cancelled = reason) }),
    () => Promise.resolve(),
  );
  const waiting = source.next(), reason = new Error("stop");
  source.interrupt(reason);
  await assert.rejects(waiting, reason);
  assert.equal(cancelled, reason);
  assert.equal(await source.next(), null);
});
