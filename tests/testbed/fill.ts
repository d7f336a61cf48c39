/** File systems without room. */
import assert from "node:assert/strict";

/** Writes into a file until its file system has no byte left. */
export function fill(path: string): void {
  using file = Deno.openSync(path, { append: true, create: true });
  for (let size = 1 << 20; size >= 1; size = size >> 4) {
    const piece = new Uint8Array(size);
    try {
      for (;;) file.writeSync(piece);
    } catch (error) {
      assert.match(String(error), /No space|os error 28/);
    }
  }
}
