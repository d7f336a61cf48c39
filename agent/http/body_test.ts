import assert from "node:assert/strict";
import { ContractError, type ErrorCode } from "../../lib/contract/errors.ts";
import { BODY_LIMIT, readBody, readJson } from "./body.ts";

const post = (body: BodyInit | null, headers: Record<string, string> = {}) =>
  new Request("http://x/", { method: "POST", body, headers });
const json = (body: BodyInit | null) => post(body, { "content-type": "application/json" });
const code = async (reading: Promise<unknown>): Promise<ErrorCode> => {
  const error = await reading.then((value) => new Error(`read ${JSON.stringify(value)}`), (thrown) => thrown);
  assert.ok(error instanceof ContractError, String(error));
  return error.code;
};
/** A body that arrives in these pieces, and counts how often it was asked for more. */
function pieces(...parts: (Uint8Array | "wait")[]) {
  const state = { asked: 0, cancelled: false };
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      state.asked++;
      const part = parts.shift();
      if (part === undefined) controller.close();
      else if (part !== "wait") controller.enqueue(part as Uint8Array<ArrayBuffer>);
      else return new Promise(() => {});
    },
    cancel: () => void (state.cancelled = true),
  }, { highWaterMark: 0 });
  return { body, state };
}
const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("readBody() reads what comes in pieces, also in the middle of a character", async () => {
  const euro = bytes("a€b");
  const { body } = pieces(euro.slice(0, 2), euro.slice(2));
  assert.equal(await readBody(post(body)), "a€b");
  assert.equal(await readBody(post(null)), "");
});

Deno.test("readBody() takes exactly its limit and no byte more", async () => {
  assert.equal(await readBody(post("x".repeat(10)), 10), "x".repeat(10));
  assert.equal(await code(readBody(post("x".repeat(11)), 10)), "BodyTooLarge");
  assert.equal(await code(readBody(post("x".repeat(BODY_LIMIT + 1)))), "BodyTooLarge");
});

Deno.test("readBody() stops reading at the limit, whatever was announced", async () => {
  const { body, state } = pieces(...Array.from({ length: 100 }, () => bytes("x".repeat(10))));
  assert.equal(await code(readBody(post(body, { "content-length": "5" }), 25)), "BodyTooLarge");
  assert.ok(state.cancelled && state.asked <= 4, JSON.stringify(state));
  for (const announced of ["26", "999999999999999999999", "1e9"]) {
    const unread = pieces(bytes("x"));
    assert.equal(
      await code(readBody(post(unread.body, { "content-length": announced }), 25)),
      "BodyTooLarge",
    );
    assert.equal(unread.state.asked, 0);
  }
  for (const nonsense of ["-1", "abc", "0", "NaN"]) {
    assert.equal(await readBody(post("x", { "content-length": nonsense }), 25), "x");
  }
});

Deno.test("readBody() gives a slow body up after its time (threat 20)", async () => {
  const { body, state } = pieces(bytes("half"), "wait");
  const started = performance.now();
  const error = await readBody(post(body), 100, 0.05).catch((thrown) => thrown);
  assert.deepEqual([error.code, error.message], [
    "BodyTimeout",
    "The request body did not arrive within 0.05 seconds",
  ]);
  assert.ok(performance.now() - started < 1000);
  assert.ok(state.cancelled);
});

Deno.test("readBody() takes a client that goes away in the middle for no fault of ours", async () => {
  const broken = new ReadableStream({ pull: (controller) => controller.error(new TypeError("aborted")) });
  assert.equal(await code(readBody(post(broken))), "InvalidInput");
});

Deno.test("readJson() refuses what is not UTF-8, not JSON or not called JSON", async () => {
  assert.equal(await code(readJson(json(new Uint8Array([0x22, 0xff, 0x22])))), "InvalidJson");
  assert.equal(await code(readJson(json(new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22])))), "InvalidJson"); // half a pair
  const deep = `{"a":${"[".repeat(400_000)}${"]".repeat(400_000)}}`;
  for (const text of ["{", "nul", "{'a':1}", "[1,]", "1 2", "\0", deep]) {
    assert.equal(await code(readJson(json(text))), "InvalidJson");
  }
  for (
    const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/jsonx",
      "application/json5",
    ]
  ) {
    assert.equal(await code(readJson(post("{}", { "content-type": type }))), "UnsupportedMediaType");
  }
  assert.equal(await code(readJson(post(bytes("{}")))), "UnsupportedMediaType");
});

Deno.test("readJson() reads JSON by any spelling of its type, and nothing as {}", async () => {
  for (
    const type of [
      "application/json",
      "Application/JSON",
      "application/json; charset=utf-8",
      " application/json ;x",
    ]
  ) {
    assert.deepEqual(await readJson(post('{"a":[1]}', { "content-type": type })), { a: [1] });
  }
  for (const empty of [post(null), post(""), json(" \n"), post(bytes(""))]) {
    assert.deepEqual(await readJson(empty), {});
  }
});
