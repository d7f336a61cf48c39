import assert from "node:assert/strict";
import { compressResponse } from "./compress.ts";

const asked = (encoding?: string, method = "GET") =>
  new Request("http://here/", {
    method,
    headers: encoding === undefined ? {} : { "accept-encoding": encoding },
  });
const page = (text: string, headers: HeadersInit = {}) =>
  new Response(text, { headers: { "content-type": "text/html; charset=utf-8", ...headers } });
const unpacked = async (response: Response) =>
  await new Response(response.body!.pipeThrough(new DecompressionStream("gzip"))).text();

Deno.test("compressResponse() makes pages and JSON smaller, of any size, and changes nothing of them", async () => {
  for (const size of [1400, 60_000, 256 * 1024, 256 * 1024 + 1, 3_000_000]) {
    const text = JSON.stringify(Array.from({ length: size / 14 }, (_, i) => ({ name: `vm-${i}` }))).padEnd(
      size,
    );
    const response = await compressResponse(
      asked("br, gzip;q=0.8"),
      Response.json(JSON.parse(text), { status: 404 }),
    );
    assert.equal(response.headers.get("content-encoding"), "gzip", `${size}`);
    assert.equal(response.headers.get("vary"), "accept-encoding");
    assert.equal(response.status, 404);
    const packed = await response.clone().bytes();
    assert.ok(packed.length < size / 3, `${packed.length} of ${size}`);
    assert.deepEqual(JSON.parse(await unpacked(response)), JSON.parse(text));
  }
});

Deno.test("compressResponse() leaves what the client does not take, and what is small, compressed, a file or a stream", async () => {
  const long = "x".repeat(5000);
  const cases: readonly [what: string, request: Request, response: Response][] = [
    ["no gzip", asked("br"), page(long)],
    ["never gzip", asked("gzip;q=0"), page(long)],
    ["no encoding", asked(), page(long)],
    ["small", asked("gzip"), page("short")],
    ["a file of the build", asked("gzip"), page(long, { "content-encoding": "br" })],
    ["a download", asked("gzip"), page(long, { "content-disposition": "attachment" })],
    ["events", asked("gzip"), page(long, { "content-type": "text/event-stream" })],
    ["a picture", asked("gzip"), page(long, { "content-type": "image/png" })],
  ];
  for (const [what, request, response] of cases) {
    const before = response.headers.get("content-encoding");
    const answer = await compressResponse(request, response);
    assert.equal(answer.headers.get("content-encoding"), before, what);
    assert.ok([long, "short"].includes(await answer.text()), what);
  }
});

Deno.test("compressResponse() says that the answer depends on what the client takes, in addition to what it depended on", async () => {
  const response = await compressResponse(asked("br"), page("x".repeat(5000), { vary: "cookie" }));
  assert.equal(response.headers.get("vary"), "cookie, accept-encoding");
});
