import assert from "node:assert/strict";
import { hiddenFolders, mountOf, parseMounts } from "./mountinfo.ts";

const TEXT = `21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 21 0:40 / /srv rw - nfs nas:/disks ro,vers=4
31 21 8:1 /images /srv/my\\040images ro,relatime - ext4 /dev/sda1 rw
32 21 8:2 / /srv-2 rw - ext4 /dev/mapper/a-b rw
33 21 8:3 / /srv-2 ro - ext4 /dev/sdb rw
`;

Deno.test("mountOf() finds the mount that a path is on, and whether it can be written", () => {
  const mounts = parseMounts(TEXT);
  const cases: [path: string, at: string, source: string, readOnly: boolean][] = [
    ["/var/lib", "/", "/dev/sda1", false],
    ["/srv", "/srv", "nas:/disks", true],
    ["/srv/my images/a", "/srv/my images", "/dev/sda1", true],
    ["/srv/my images-2", "/srv", "nas:/disks", true],
    ["/srv-3", "/", "/dev/sda1", false],
    ["/srv-2/x", "/srv-2", "/dev/sdb", true], // the last one hides the one before
  ];
  for (const [path, at, source, readOnly] of cases) {
    const found = { at, source, readOnly, readOnlyHere: readOnly };
    assert.deepEqual(mountOf(mounts, path), found, path);
  }
});

Deno.test("parseMounts() takes a sandbox's own read-only mounts for writable: libvirt is outside of it", () => {
  const mounts = parseMounts(`21 1 8:1 / / ro,relatime shared:1 - ext4 /dev/sda1 rw
30 21 0:40 / /srv ro - nfs nas:/disks ro,vers=4
31 21 8:2 / /var ro - ext4 /dev/sdb rw
`);
  assert.deepEqual(mounts.map(({ at, readOnly }) => [at, readOnly]), [["/", false], ["/srv", true], [
    "/var",
    false,
  ]]);
  assert.deepEqual(mounts.map(({ readOnlyHere }) => readOnlyHere), [true, true, true]);
});

Deno.test("hiddenFolders() finds what systemd's sandbox hides", () => {
  const text = [
    "30 1 8:1 / / ro,relatime - ext4 /dev/sda1 rw",
    "31 30 0:25 /systemd/inaccessible/dir /home ro,nosuid - tmpfs tmpfs rw",
    "32 30 8:1 /tmp/systemd-private-ab-kvm-manager.service-cd/tmp /tmp rw - ext4 /dev/sda1 rw",
    "33 30 8:2 / /srv rw - ext4 /dev/sdb rw",
  ].join("\n");
  assert.deepEqual(hiddenFolders(text), ["/home", "/tmp"]);
});
