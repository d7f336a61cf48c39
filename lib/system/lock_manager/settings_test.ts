import assert from "node:assert/strict";
import { leaseName, readLockSettings } from "./settings.ts";

const read = (qemu: string, lockd = "", sanlock = "") => readLockSettings({ qemu, lockd, sanlock });

Deno.test("readLockSettings() has libvirt's defaults where files say nothing", () => {
  const none = {
    driver: "none",
    fault: null,
    automatic: false,
    required: false,
    lockspace: null,
    hostNumber: null,
  };
  assert.deepEqual(read('#lock_manager = "lockd"\n', 'file_lockspace_dir = "/x"'), none);
  assert.deepEqual(read('lock_manager = "lockd"'), { ...none, driver: "lockd", automatic: true });
  assert.deepEqual(read('lock_manager = "sanlock"'), { ...none, driver: "sanlock", required: true });
});

Deno.test("readLockSettings() reads each driver's own file", () => {
  const lockd = read('lock_manager = "lockd"', 'auto_disk_leases = 0\nfile_lockspace_dir = "/srv/locks"\n');
  assert.deepEqual([lockd.automatic, lockd.required, lockd.lockspace], [false, true, "/srv/locks"]);
  const loose = read('lock_manager = "lockd"', "auto_disk_leases = 0\nrequire_lease_for_disks = 0\n");
  assert.deepEqual([loose.automatic, loose.required], [false, false]);
  const sanlock = read('lock_manager = "sanlock"', "", "auto_disk_leases = 1\nhost_id = 3\n");
  assert.deepEqual([sanlock.automatic, sanlock.required, sanlock.lockspace, sanlock.hostNumber], [
    ...[true, false, "/var/lib/libvirt/sanlock", 3],
  ]);
});

Deno.test("readLockSettings() names what libvirt would not read", () => {
  const fault = (...texts: Parameters<typeof read>) => {
    const { driver, fault } = read(...texts);
    assert.equal(driver, "unknown");
    return fault ?? "";
  };
  assert.match(fault('lock_manager = "none"'), /is none: libvirt has lockd and sanlock/);
  assert.match(fault("user = root"), /qemu\.conf, line 1: a value is neither/);
  assert.match(fault("", "x"), /qemu-lockd\.conf, line 1/);
  assert.match(fault("", "", "x"), /qemu-sanlock\.conf, line 1/);
  assert.match(fault('lock_manager = "sanlock"', "", "auto_disk_leases = 1"), /host_id is not set/);
  assert.match(fault('lock_manager = "sanlock"', "", 'host_id = "1"'), /host_id in .* is no number/);
  assert.match(
    fault('lock_manager = "lockd"\nlock_manager = "sanlock"'),
    /line 2: lock_manager is set a second time/,
  );
  assert.match(fault("lock_manager = 1"), /lock_manager in .*qemu\.conf is no text/);
  assert.match(fault('lock_manager = "lockd"', 'auto_disk_leases = "yes"'), /neither 0 nor 1/);
});

Deno.test("leaseName() is the name that libvirt 9.0 was seen to give", async () => {
  assert.equal(
    await leaseName("/var/lib/libvirt/images/r.raw"),
    "15b5c678da4ff2c93e73558132c1c07622a67927329c594f0559c9fc7504fd14",
  );
});
