import assert from "node:assert/strict";
import {
  creatablePool,
  hasOwnBridge,
  type NetworkLook,
  networksNotReady,
  type PoolLook,
  shownLack,
  storageNotReady,
} from "./ready.ts";

const pool = (name: string, change: Partial<PoolLook> = {}): PoolLook => ({
  name,
  type: "dir",
  path: `/srv/${name}`,
  running: true,
  autostart: true,
  persistent: true,
  ...change,
});
const network = (name: string, change: Partial<NetworkLook> = {}): NetworkLook => ({
  name,
  active: true,
  autostart: true,
  persistent: true,
  ...change,
});
const texts = (lack: ReturnType<typeof storageNotReady>) => lack && lack.steps.map(({ text }) => text);

Deno.test("storageNotReady() offers the pool that is usual, and those that are stopped", () => {
  assert.deepEqual(texts(storageNotReady([])), ["Create pool default in /var/lib/libvirt/images"]);
  assert.deepEqual(texts(storageNotReady([pool("a", { running: false })])), [
    "Start pool a",
    "Create pool default in /var/lib/libvirt/images",
  ]);
  const elsewhere = pool("old", { running: false, path: "/var/lib/libvirt/images" });
  assert.deepEqual(texts(storageNotReady([elsewhere])), ["Start pool old"], "its folder is taken");
  assert.equal(creatablePool([pool("default")]), undefined);
  assert.equal(storageNotReady([pool("a")]), null);
});

Deno.test("storageNotReady() looks for pools that keep files, where images need one", () => {
  const lvm = pool("vg", { type: "logical" });
  assert.equal(storageNotReady([lvm]), null);
  assert.match(storageNotReady([lvm], "files")!.sentence, /No running storage pool keeps files/);
});

Deno.test("storageNotReady() says that nothing starts with the host, once", () => {
  const off = { autostart: false };
  assert.deepEqual(storageNotReady([pool("a", off), pool("b")]), null);
  assert.deepEqual(storageNotReady([pool("a", off)])!.steps, [{
    command: "set_storage_pool_autostart",
    fields: { pool: "a", autostart: true },
    text: "Start pool a with the host",
  }]);
  assert.equal(storageNotReady([pool("a", { autostart: false, persistent: false })]), null);
});

Deno.test("networksNotReady() starts what is there, else offers a NAT network, and minds the host's bridges", () => {
  const none = { hasBridges: false, freeIpv4: "192.168.122.1/24" };
  assert.deepEqual(networksNotReady([], none)!.steps[0]!.fields, {
    name: "default",
    mode: "nat",
    "ipv4.address": "192.168.122.1/24",
  });
  const off = network("default", { active: false });
  assert.deepEqual(texts(networksNotReady([off], none)), ["Start network default"]);
  assert.equal(networksNotReady([off], { hasBridges: true }), null);
  assert.match(
    networksNotReady([network("a", { autostart: false })], none)!.sentence,
    /starts with the host/,
  );
  assert.deepEqual([hasOwnBridge(["docker0", "virbr0", "br-0123456789ab"]), hasOwnBridge(["br0"])], [
    false,
    true,
  ]);
});

Deno.test("shownLack() leaves out what somebody may not do, and says where the page goes on", () => {
  const lack = storageNotReady([pool("a", { running: false })]);
  assert.deepEqual(shownLack(lack, (command) => command === "start_storage_pool", "/images")!.steps, [{
    action: "/do/start_storage_pool?pool=a&to=%2Fimages",
    text: "Start pool a",
  }]);
});
