import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { encodePng } from "../../lib/formats/png/png.ts";
import { differingShare } from "./pictures.ts";

/** A grey picture of 10 × 10 pixels, some of them of another shade. */
function picture(others: number, shade: number, height = 10): Uint8Array {
  const rgb = new Uint8Array(10 * height * 3).fill(100);
  rgb.fill(shade, 0, others * 3);
  return encodePng({ width: 10, height, rgb }, (bytes) => deflateSync(bytes));
}

Deno.test("differingShare() counts pixels that one sees differ", () => {
  assert.equal(differingShare(picture(0, 0), picture(7, 200)), 0.07);
  assert.equal(differingShare(picture(0, 0), picture(7, 120)), 0, "a shade nobody tells apart");
  assert.equal(differingShare(picture(0, 0), picture(0, 0, 11)), 1, "another size is another picture");
});
