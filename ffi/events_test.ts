/** QEMU's own event for channels. */
import assert from "node:assert/strict";
import { channelChange } from "./events.ts";

Deno.test("QEMU's event for a channel is read; what is none is passed over", () => {
  assert.deepEqual(channelChange('{"open":true,"id":"channel0"}'), [1, "channel0"]);
  assert.deepEqual(channelChange('{"open":false,"id":"channel1"}'), [0, "channel1"]);
  for (const odd of ["", "{", "{}", '{"open":"yes","id":"channel0"}', '{"open":true,"id":7}', "[]"]) {
    assert.equal(channelChange(odd), undefined, odd);
  }
});
