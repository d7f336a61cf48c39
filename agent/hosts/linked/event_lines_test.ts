import assert from "node:assert/strict";
import { TooLongError } from "./bounded.ts";
import { type EventFrame, eventFrames } from "./event_lines.ts";

const streamOf = (...chunks: readonly string[]) =>
  ReadableStream.from(chunks.map((chunk) => new TextEncoder().encode(chunk)));

async function read(...chunks: readonly string[]): Promise<EventFrame[]> {
  const frames: EventFrame[] = [];
  for await (const some of eventFrames(streamOf(...chunks))) frames.push(...some);
  return frames;
}

Deno.test("eventFrames() gives events as they come, cut anywhere", async () => {
  const text =
    'retry: 1000\n: connected\n\nid: ab-1\nevent: vm-deleted\ndata: {"vmId":"ü"}\n\nevent: x\ndata: 1\ndata: 2\n\n';
  const expected = [
    { id: "ab-1", name: "vm-deleted", data: '{"vmId":"ü"}' },
    { id: undefined, name: "x", data: "1\n2" },
  ];
  assert.deepEqual(await read(text), expected);
  assert.deepEqual(await read(...text), expected);
});

Deno.test("eventFrames() leaves out what has not come whole, and comments", async () => {
  assert.deepEqual(await read(": still here\n\n", "event: x\ndata: 1\n"), []);
});

Deno.test("eventFrames() gives a sign of life for a whole comment, and none for bytes without end", async () => {
  const signs = async (...chunks: readonly string[]) =>
    await Array.fromAsync(eventFrames(streamOf(...chunks)));
  assert.deepEqual(await signs(": alive\n\n", ": alive\n\n"), [[], []]);
  assert.deepEqual(await signs(..."::::::::", "data: 1"), []);
});

Deno.test("eventFrames() takes no event without end", async () => {
  const piece = `data: ${"x".repeat(1024 * 1024)}`;
  await assert.rejects(read("event: x\n", piece, piece, piece), TooLongError);
});
