import assert from "node:assert/strict";
import { webpSize } from "./webp.ts";

const PICTURES = new URL("../../docs/pictures/", import.meta.url);

Deno.test("each picture of the documentation says its size", async () => {
  let count = 0;
  for await (const { name } of Deno.readDir(PICTURES)) {
    const size = webpSize(await Deno.readFile(new URL(name, PICTURES)));
    assert.equal(size?.width, 1280, name);
    assert.ok(size.height >= 400 && size.height <= 2000, `${name}: ${size.height}`);
    count++;
  }
  assert.ok(count > 20);
});

Deno.test("what is cut off, or is no extended WebP, has no size", async () => {
  const file = await Deno.readFile(new URL("dashboard.webp", PICTURES));
  assert.equal(webpSize(file.subarray(0, 29)), null);
  assert.equal(webpSize(new Uint8Array(30)), null);
  const plain = file.slice(0, 30);
  plain[15] = " ".charCodeAt(0);
  assert.equal(webpSize(plain), null);
});
