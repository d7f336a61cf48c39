import assert from "node:assert/strict";
import { groupId, hostUserName, userIds } from "../../ffi/libc.ts";
import { peerOf, roleAtSocket, type SocketRule, socketRule } from "./socket_peers.ts";

const NAMES: Readonly<Record<number, string>> = { 0: "root", 500: "kvm", 1000: "ann" };
const host = { own: 500, name: (uid: number) => NAMES[uid] };
const rule: SocketRule = { gid: 77, role: "operator" };

Deno.test("peerOf() takes root and the server's own user for administrators, whatever the rule", () => {
  for (const each of [rule, undefined]) {
    assert.deepEqual(peerOf({ uid: 0, gid: 0, groups: [] }, each, host), {
      uid: 0,
      name: "root",
      role: "administrator",
    });
    assert.equal(peerOf({ uid: 500, gid: 500, groups: [] }, each, host)?.role, "administrator");
  }
});

Deno.test("peerOf() takes a group's members, by first or further group, for what the rule says", () => {
  const ann = { uid: 1000, name: "ann (host)", role: "operator" };
  assert.deepEqual(peerOf({ uid: 1000, gid: 77, groups: [] }, rule, host), ann);
  assert.deepEqual(peerOf({ uid: 1000, gid: 1000, groups: [4, 77] }, rule, host), ann);
  assert.equal(peerOf({ uid: 4242, gid: 77, groups: [] }, rule, host)?.name, "uid 4242 (host)");
});

Deno.test("peerOf() refuses everybody else", () => {
  assert.equal(peerOf({ uid: 1000, gid: 1000, groups: [4] }, rule, host), undefined);
  assert.equal(peerOf({ uid: 1000, gid: 77, groups: [77] }, undefined, host), undefined);
  // Group 0 is no power of its own.
  assert.equal(peerOf({ uid: 1000, gid: 0, groups: [0] }, rule, host), undefined);
});

Deno.test("socketRule() knows this host's groups, and says which it does not", () => {
  assert.deepEqual(socketRule("root", "viewer"), { gid: 0, role: "viewer" });
  assert.equal(socketRule("none", "viewer"), undefined);
  assert.throws(() => socketRule("no-such-group", "viewer"), /no group "no-such-group".*groupadd/);
});

Deno.test("groupId() and userName() read what the host has", () => {
  assert.deepEqual([groupId("root"), hostUserName(0)], [0, "root"]);
  assert.deepEqual([groupId("no-such-group"), hostUserName(4_000_000_000)], [undefined, undefined]);
});

Deno.test("roleAtSocket() asks this host's groups as they are now", () => {
  assert.equal(roleAtSocket(0, undefined), "administrator");
  const gid = groupId("nogroup"), nobody = userIds("nobody")!.uid; // "nobody" is in nogroup, on Debian
  assert.ok(gid !== undefined);
  assert.equal(roleAtSocket(nobody, { gid, role: "operator" }), "operator");
  assert.equal(roleAtSocket(nobody, { gid: 0, role: "operator" }), undefined);
  assert.equal(roleAtSocket(nobody, undefined), undefined);
  assert.equal(roleAtSocket(4_000_000_000, { gid, role: "operator" }), undefined);
});
