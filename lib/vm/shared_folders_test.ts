import { message, render, type Sentence, vmIdsIn, vmName } from "../i18n/message.ts";
import assert from "node:assert/strict";
import {
  CLOSED_FOLDERS,
  closedReason,
  homeFolder,
  mountCommands,
  nestedReason,
  sharesAbove,
  tagOf,
} from "./shared_folders.ts";

const shown = (reason: Sentence | undefined) => reason && render(reason);

Deno.test("closedReason() refuses folders of the host, what is in them and what is above them", () => {
  const closed = [...CLOSED_FOLDERS, { path: "/srv/pool", what: "the storage pool p" }];
  const of = (path: string) => shown(closedReason(path, closed));
  assert.equal(of("/"), "it is the host's whole file system");
  assert.equal(of("/etc"), "it is a folder of the host's system");
  assert.equal(of("/etc/ssh"), "it is in /etc, a folder of the host's system");
  assert.match(of("/var")!, /is in it$/);
  assert.match(of("/var/lib/libvirt/images")!, /a folder of libvirt/);
  assert.match(of("/srv")!, /^it is a folder of all users|^\/srv\/pool, the storage pool p, is in it$/);
  for (const path of ["/root", "/opt/app", "/snap", "/lib32", "/libx32", "/bin", "/sbin", "/usr", "/boot"]) {
    assert.match(of(path)!, /a folder of the host's system/, path);
  }
  for (const path of ["/var/lib", "/var/lib/docker", "/var/spool/cron/crontabs"]) assert.ok(of(path), path);
  for (const path of ["/srv/data", "/etcetera", "/home/ann", "/srv/pool-2"]) {
    assert.equal(of(path), undefined);
  }
});

Deno.test("closedReason() names the VM whose disk is in a folder, by its id", () => {
  const disk = { path: "/srv/a/disk.qcow2", what: message`a disk of ${vmName({ id: "1", name: "web" })}` };
  const reason = closedReason("/srv/a", [disk]);
  assert.equal(shown(reason), "/srv/a/disk.qcow2, a disk of web, is in it");
  assert.deepEqual([...vmIdsIn(reason)], ["1"]);
});

Deno.test("closedReason() closes what root runs, reads mail from and installs, and homes but for what is in them", () => {
  const of = (path: string) => shown(closedReason(path, [...CLOSED_FOLDERS, homeFolder("/home/ann")]));
  for (
    const path of [
      ...["/var/cache", "/var/cache/kvm-manager", "/var/cache/apt/archives", "/var/mail", "/var/mail/root"],
      ...["/var/spool/mail", "/var/log", "/var/log/audit", "/nix/store", "/var", "/tmp", "/var/tmp"],
      ...["/home", "/home/ann", "/home/ann/.ssh", "/home/ann/.config/systemd", "/home/ann/.ssh/keys"],
    ]
  ) assert.ok(of(path), path);
  for (
    const path of ["/home/ann/shared", "/home/ann/a/.hidden", "/tmp/x", "/var/tmp/x", "/srv/x", "/mnt/x"]
  ) {
    assert.equal(of(path), undefined, path);
  }
});

Deno.test("nestedReason() refuses what is in and above shared folders, not the same folder", () => {
  const shares = [
    { path: "/srv/a", vm: vmName({ id: "1", name: "web1" }) },
    { path: "/srv/b/c", vm: vmName({ id: "2", name: "web2" }) },
  ];
  const of = (path: string) => nestedReason(path, shares);
  const told = (path: string) => render(of(path));
  assert.match(told("/srv/a/sub"), /^it is in \/srv\/a, a shared folder of web1,/);
  assert.match(told("/srv/b"), /^\/srv\/b\/c, a shared folder of web2, is in it,/);
  for (const path of ["/srv/a", "/srv/b/c", "/srv/ab", "/srv/b/d"]) assert.equal(of(path), undefined, path);
  assert.deepEqual(sharesAbove("/srv/a/sub", shares), shares[0]);
  assert.equal(sharesAbove("/srv/b", shares), undefined);
});

Deno.test("tagOf() makes a tag of a folder's name", () => {
  assert.equal(tagOf("/srv/data/", "virtiofs"), "data");
  assert.equal(tagOf("/srv/my files (old)", "virtiofs"), "my-files-old");
  assert.equal(tagOf("/srv/ä", "virtiofs"), undefined);
  const long = `/srv/${"a".repeat(80)}`;
  assert.deepEqual([tagOf(long, "virtiofs")?.length, tagOf(long, "9p")?.length], [36, 31]);
});

Deno.test("mountCommands() says how a guest mounts it", () => {
  assert.deepEqual(mountCommands({ tag: "data", driver: "virtiofs", readOnly: false }), {
    now: "mkdir -p /mnt/data && mount -t virtiofs data /mnt/data",
    fstab: "data /mnt/data virtiofs nofail 0 0",
  });
  for (const tag of ["", "a b", "$(reboot)", "a;b", "a\n", "-o", "ä"]) {
    assert.equal(mountCommands({ tag, driver: "virtiofs", readOnly: false }), undefined, tag);
  }
  assert.equal(
    mountCommands({ tag: "d", driver: "9p", readOnly: true })?.now,
    "mkdir -p /mnt/d && mount -t 9p -o ro,trans=virtio,version=9p2000.L d /mnt/d",
  );
});
