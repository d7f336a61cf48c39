import assert from "node:assert/strict";
import { fileSystemSpace, spaceOf } from "./pool_space.ts";

const GIB = 1024 ** 3;

Deno.test("spaceOf() believes no figures that cannot be", () => {
  const space = { capacity: 10 * GIB, allocation: 4 * GIB, available: 6 * GIB };
  assert.deepEqual(spaceOf(space), space);
  for (
    const wrong of [
      { allocation: 2 ** 64 - 4096 },
      { allocation: 11 * GIB },
      { available: 11 * GIB },
      { available: -1 },
      { capacity: NaN },
    ]
  ) assert.equal(spaceOf({ ...space, ...wrong }), undefined, JSON.stringify(wrong));
  assert.deepEqual(spaceOf({ capacity: 0, allocation: 0, available: 0 }), {
    capacity: 0,
    allocation: 0,
    available: 0,
  });
});

Deno.test("fileSystemSpace() counts as libvirt does", () => {
  assert.deepEqual(fileSystemSpace({ bsize: 4096, blocks: 100, bfree: 40 }), {
    capacity: 409_600,
    allocation: 245_760,
    available: 163_840,
  });
});
