import assert from "node:assert/strict";
import { toldFilesystems, toldInterfaces, toldSystem, toldUsers } from "./told.ts";

Deno.test("toldSystem() tells the system, and leaves out what is missing", () => {
  assert.deepEqual(toldSystem({}), {
    osType: "other",
    osVersion: "",
    hostname: "",
    ipAddresses: [],
    macAddresses: [],
  });
  const told = {
    "os.id": "debian",
    "os.pretty-name": "Debian GNU/Linux 12 (bookworm)",
    "os.kernel-release": "6.1.0",
    "os.machine": "x86_64",
    "hostname": "web1\u0007\n",
    "timezone.name": "CET",
    "timezone.offset": 3600,
    "if.count": 2,
    "if.0.name": "lo",
    "if.1.name": "eth0",
    "if.1.hwaddr": "52:54:00:AA:00:01",
    "if.1.addr.count": 3,
    "if.1.addr.0.addr": "192.0.2.7",
    "if.1.addr.0.prefix": 24,
    "if.1.addr.1.addr": "fe80::1",
    "if.1.addr.1.prefix": 64,
    "if.1.addr.2.addr": "<img>",
    "if.1.addr.2.prefix": 24,
  };
  assert.deepEqual(toldSystem(told), {
    osType: "linux",
    osVersion: "Debian GNU/Linux 12 (bookworm)",
    osId: "debian",
    hostname: "web1␣",
    ipAddresses: ["192.0.2.7"],
    macAddresses: ["52:54:00:aa:00:01"],
    kernelVersion: "6.1.0",
    architecture: "x86_64",
    timeZone: "CET",
    utcOffsetSeconds: 3600,
  });
  assert.equal(toldSystem({ "os.id": "mswindows" }).osType, "windows");
});

Deno.test("what is told is bounded, whatever a guest claims", () => {
  const lie = {
    "if.count": 1e9,
    "fs.count": "many",
    "user.count": 2,
    "user.0.name": "a".repeat(9999),
    "user.0.login-time": -5,
    "user.1.name": 7,
    "timezone.offset": 1e12,
  };
  assert.deepEqual(toldInterfaces(lie), []);
  assert.deepEqual(toldFilesystems(lie), []);
  const [user, ...others] = toldUsers(lie);
  assert.ok(user!.name.length < 300);
  assert.deepEqual([user!.since, others], [undefined, []]);
  assert.equal(toldSystem(lie).utcOffsetSeconds, undefined);
});

Deno.test("toldFilesystems() are in the order of their mountpoints, never more than full", () => {
  const told = {
    "fs.count": 2,
    "fs.0.name": "vdb",
    "fs.0.mountpoint": "/srv",
    "fs.0.fstype": "xfs",
    "fs.0.total-bytes": 10,
    "fs.0.used-bytes": 11,
    "fs.1.name": "vda1",
    "fs.1.mountpoint": "/",
    "fs.1.fstype": "ext4",
    "fs.1.disk.count": 1,
    "fs.1.disk.0.alias": "vda",
  };
  assert.deepEqual(toldFilesystems(told), [
    { name: "vda1", mountpoint: "/", type: "ext4", disks: ["vda"] },
    { name: "vdb", mountpoint: "/srv", type: "xfs", totalBytes: 10, usedBytes: 10, disks: [] },
  ]);
});
