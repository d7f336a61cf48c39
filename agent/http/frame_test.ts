import assert from "node:assert/strict";
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { listenTcp } from "./server.ts";
import { FRAME_HEAD, frameInPlace } from "./frame.ts";

const buffer = (length: number) => new Uint8Array(FRAME_HEAD + length);

Deno.test("frameInPlace() writes the shortest head right before the bytes (RFC 6455, 5.2)", () => {
  const heads: [length: number, head: number[]][] = [
    [0, [0x82, 0]],
    [1, [0x82, 1]],
    [125, [0x82, 125]],
    [126, [0x82, 126, 0, 126]],
    [65535, [0x82, 126, 255, 255]],
    [65536, [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
    [0x123456, [0x82, 127, 0, 0, 0, 0, 0, 0x12, 0x34, 0x56]],
  ];
  for (const [length, head] of heads) {
    const bytes = buffer(length).fill(7, FRAME_HEAD);
    const frame = frameInPlace(bytes, length);
    assert.deepEqual([...frame.subarray(0, head.length)], head);
    assert.equal(frame.length, head.length + length);
    assert.ok(frame.subarray(head.length).every((byte) => byte === 7), `payload of ${length}`);
    assert.equal(frame.buffer, bytes.buffer, "no copy");
  }
});

Deno.test("frameInPlace() stays within a buffer that is a part of another", () => {
  const whole = new Uint8Array(64).fill(9);
  const frame = frameInPlace(whole.subarray(20, 20 + FRAME_HEAD + 3), 3);
  assert.deepEqual([...frame], [0x82, 3, 9, 9, 9]);
  assert.deepEqual([...whole.subarray(0, 28)], new Array(28).fill(9));
});

Deno.test("Peer.sendInPlace() and Peer.send() keep their order, whatever the lengths, and give the buffer back", async () => {
  const lengths = [1, 125, 126, 65535, 65536, 200_000];
  let taken = 0;
  const listener = await listenTcp(
    "127.0.0.1:0",
    () => Promise.resolve(new Response()),
    {
      admit: () => async (peer) => {
        for (const length of lengths) {
          await peer.sendInPlace(buffer(length).fill(length % 251, FRAME_HEAD), length, () => taken++);
          await peer.send(`${length}`);
        }
        return { code: 1000, reason: "" };
      },
    },
  );
  try {
    const socket = new WebSocket(listener.address.replace("http", "ws"), { origin: listener.address });
    const got: string[] = [];
    const code = await new Promise<number>((resolve, reject) => {
      socket.on("error", reject);
      socket.on("message", (data: Uint8Array, isBinary) => {
        if (!isBinary) return got.push(data.toString());
        assert.ok(data.every((byte) => byte === data.length % 251));
        got.push(`${data.length} bytes`);
      });
      socket.on("close", resolve);
    });
    assert.equal(code, 1000);
    assert.deepEqual(got, lengths.flatMap((length) => [`${length} bytes`, `${length}`]));
    assert.equal(taken, lengths.length);
  } finally {
    await listener.close();
  }
});
