import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Checksum } from "./checksum.ts";
import { Filler } from "./filler.ts";

Deno.test("Checksum.sha256() is the one of all that went through, and then it is over", async () => {
  using checksum = new Checksum();
  const filler = new Filler([checksum]);
  const expected = createHash("sha256");
  for (let step = 1; step < 3_000_000; step *= 3) {
    const bytes = crypto.getRandomValues(new Uint8Array(Math.min(step, 65_536)));
    expected.update(bytes);
    await filler.put(bytes);
  }
  await filler.flush();
  assert.equal(await checksum.sha256(), expected.digest("hex"));
  await assert.rejects(checksum.sha256(), /the checksum cannot be counted: the worker failed/);
  await assert.rejects(
    checksum.give(new Uint8Array(new SharedArrayBuffer(1))),
    /the checksum cannot be counted: it is over/,
  );
});
