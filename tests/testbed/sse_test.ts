import assert from "node:assert/strict";
import { parseEvents } from "./sse.ts";

Deno.test("parseEvents() takes events apart wherever the chunks are cut", async () => {
  const text = ': hello\n\nid: 7\nevent: vm-created\ndata: {"a":\ndata: "é"}\n\ndata:1\r\n\r\n';
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 3, bytes.length]) {
    const chunks = Array.from(
      { length: Math.ceil(bytes.length / size) },
      (_, i) => bytes.slice(i * size, (i + 1) * size),
    );
    assert.deepEqual(await Array.fromAsync(parseEvents(ReadableStream.from(chunks))), [
      { id: "7", event: "vm-created", data: { a: "é" } },
      { id: "7", event: "message", data: 1 },
    ]);
  }
});
