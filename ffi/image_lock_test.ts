import assert from "node:assert/strict";
import { ImageLock } from "./image_lock.ts";

Deno.test("an image is locked by one at a time, and what is not there is not known", async () => {
  const path = await Deno.makeTempFile();
  try {
    {
      using first = await ImageLock.take(path);
      assert.equal(first.state, "taken");
      using second = await ImageLock.take(path);
      assert.equal(second.state, "open");
    }
    using again = await ImageLock.take(path);
    assert.equal(again.state, "taken", "a lock ends with its holder");
  } finally {
    await Deno.remove(path);
  }
  using nowhere = await ImageLock.take("/nowhere/at/all");
  assert.equal(nowhere.state, "unknown");
});
