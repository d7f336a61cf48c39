import assert from "node:assert/strict";
import { rawCopyArgs, shareIn } from "./qemu_img.ts";

Deno.test("shareIn() reads the last share of a piece of output", () => {
  assert.equal(shareIn("    (1.00/100%)\r    (42.50/100%)\r"), 0.425);
  assert.equal(shareIn("    (100.00/100%)\r\n"), 1);
  assert.equal(shareIn("    (3.0"), undefined);
});

Deno.test("rawCopyArgs() says both formats, and names begin behind --", () => {
  const args = rawCopyArgs("-oops", "/pool/b", true);
  assert.deepEqual(args.slice(-3), ["--", "-oops", "/pool/b"]);
  assert.match(args.join(" "), /-f raw -O raw/);
  assert.equal(args.includes("--target-is-zero"), true);
  // A device may hold anything.
  assert.equal(rawCopyArgs("/a", "/dev/vg/b", false).includes("--target-is-zero"), false);
});
