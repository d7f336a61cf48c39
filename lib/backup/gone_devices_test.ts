import assert from "node:assert/strict";
import { goneDevices } from "./gone_devices.ts";

const vm = (devices: string) => `<domain type='qemu'><name>web</name><devices>${devices}</devices></domain>`;
const CARD =
  "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/></interface>";
const SHARE = "<filesystem type='mount'><source dir='/srv/a'/><target dir='data'/></filesystem>";

Deno.test("goneDevices() names what the copy has not", () => {
  assert.deepEqual(goneDevices(vm(CARD + SHARE), vm(CARD + SHARE)), []);
  assert.deepEqual(goneDevices(vm(""), vm(CARD + SHARE)), []);
  const [share, card, ...more] = goneDevices(vm(CARD + SHARE), vm(""));
  assert.match(share!, /^The shared folder data is not in the copy/);
  assert.match(card!, /^Network card 52:54:00:00:00:01 is not in the copy/);
  assert.deepEqual(more, []);
});
