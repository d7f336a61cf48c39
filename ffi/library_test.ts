import assert from "node:assert/strict";
import { LibvirtError, VIR_ERR } from "./error.ts";
import { Connection, Handle, listOf, readList } from "./connection.ts";
import { capabilities, libraryVersion, libvirt, notNull, ok, takeString } from "./library.ts";
import { libvirtTest, SHARED } from "./testing.ts";

libvirtTest("libvirt() is opened once, and is new enough", () => {
  assert.equal(libvirt(), libvirt());
  assert.ok(libraryVersion() >= 7_000_000, String(libraryVersion()));
});

libvirtTest("capabilities() are on for what this libvirt has", () => {
  assert.deepEqual(capabilities(), {
    virDomainAgentSetResponseTimeout: libraryVersion() >= 5_010_000,
    virDomainGetMessages: libraryVersion() >= 7_001_000,
    virDomainStartDirtyRateCalc: libraryVersion() >= 7_002_000,
  });
});

libvirtTest("ok(), some() and takeString() pass results on and throw libvirt's own error", () => {
  assert.equal(ok(0), 0);
  assert.equal(ok(5), 5);
  const { symbols } = libvirt();
  using connection = Connection.open({ uri: SHARED });
  const unknown = () => connection.domain("00000000-0000-4000-8000-000000000000");
  assert.throws(
    unknown,
    (error) => error instanceof LibvirtError && error.code === VIR_ERR.NO_DOMAIN && error.kind === "libvirt",
  );
  assert.throws(() => ok(-1), { code: VIR_ERR.NO_DOMAIN }); // the last error of this thread is still there
  assert.throws(() => notNull(null), LibvirtError);
  assert.throws(() => takeString(null), LibvirtError);
  assert.match(takeString(symbols.virConnectGetCapabilities(connection.pointer)), /^<capabilities>/);
});

libvirtTest("Connection.open() says why it cannot", () => {
  for (
    const uri of [
      "nonsense:///x",
      "test:///no/such/file.xml",
      "qemu+unix:///system?socket=/no/such/socket",
    ]
  ) {
    assert.throws(
      () => Connection.open({ uri }),
      (error) => error instanceof LibvirtError && error.message !== "",
      uri,
    );
  }
  assert.throws(() => Connection.open({ uri: "test:///default\0" }), TypeError);
});

libvirtTest("Connection is alive until given back, and then cannot be used", () => {
  const connection = Connection.open({ uri: SHARED });
  assert.equal(connection.alive, true);
  connection[Symbol.dispose]();
  connection[Symbol.dispose]();
  assert.throws(() => connection.pointer, TypeError);
  assert.throws(() => connection.alive, TypeError);
});

libvirtTest("Connection looks networks and volumes up by name and path, each with its own error", () => {
  using connection = Connection.open({ uri: SHARED });
  using network = connection.network("default");
  assert.notEqual(network.pointer, null);
  assert.throws(() => connection.network("none"), { code: VIR_ERR.NO_NETWORK });
  assert.throws(() => connection.volumeAt({ path: "/none" }), { code: VIR_ERR.NO_STORAGE_VOL });
});

Deno.test("Handle gives its object back exactly once", () => {
  let freed = 0;
  const pointer = Deno.UnsafePointer.create(16n)!;
  const handle = new Handle(pointer, () => ++freed);
  assert.equal(handle.pointer, pointer);
  handle[Symbol.dispose]();
  handle[Symbol.dispose]();
  assert.equal(freed, 1);
  assert.throws(() => handle.pointer, TypeError);
});

libvirtTest("readList() gives every object back once, also when reading one fails", () => {
  const items = [1n, 2n, 3n, 4n].map((address) => Deno.UnsafePointer.create(address)!);
  const freed: bigint[] = [];
  const free = (item: Deno.PointerObject) => void freed.push(Deno.UnsafePointer.value(item));
  const values = readList(null, items, free, (item) => {
    const address = Deno.UnsafePointer.value(item);
    return address === 2n ? null : address;
  });
  assert.deepEqual([values, freed.splice(0)], [[1n, 3n, 4n], [1n, 2n, 3n, 4n]]);
  assert.throws(() =>
    readList(null, items, free, (item) => {
      if (Deno.UnsafePointer.value(item) === 3n) throw new Error("gone");
      return 0;
    }), /gone/);
  assert.deepEqual(freed, [1n, 2n, 3n, 4n]);
});

libvirtTest("listOf() gives an empty list for none, and throws for -1", () => {
  using connection = Connection.open({ uri: SHARED });
  const { symbols } = libvirt();
  const inactivePools = 1, activePools = 2;
  assert.deepEqual(
    listOf((out) =>
      symbols.virConnectListAllStoragePools(connection.pointer, out, inactivePools | activePools)
    ).items.length > 0,
    true,
  );
  const otherOs = 1 << 10; // VIR_CONNECT_LIST_STORAGE_POOLS_MPATH: there is none
  assert.deepEqual(listOf((out) => symbols.virConnectListAllStoragePools(connection.pointer, out, otherOs)), {
    array: null,
    items: [],
  });
  assert.throws(() => listOf(() => -1), LibvirtError);
});
