/** Templates whose disks are sealed: what is special to the guest is removed by libguestfs, which boots a small VM. */
import assert from "node:assert/strict";
import { SEALS } from "../../lib/contract/template_bounds.ts";
import { withoutGuestfs } from "../testbed/backups.ts";
import { virsh } from "../testbed/libvirt.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, readyServer, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

/** A file system that libguestfs takes for a Linux guest, with what is special to it. */
async function linuxImage(path: string): Promise<void> {
  const root = await Deno.makeTempDir();
  const files: Readonly<Record<string, string>> = {
    "etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n',
    "etc/debian_version": "12.0\n",
    "etc/fstab": "/dev/sda / ext4 defaults 0 1\n",
    "etc/hostname": "web1\n",
    "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "etc/passwd": "root:x:0:0::/root:/bin/sh\n",
    "etc/ssh/ssh_host_rsa_key": "key\n",
    "etc/ssh/sshd_config": "kept\n",
    "etc/udev/rules.d/70-persistent-net.rules": "rule\n",
    "etc/udev/rules.d/99-own.rules": "kept\n",
    "bin/true": "",
    "var/lib/cloud/instances/one/datasource": "one\n",
    "var/lib/cloud/seed/nocloud/user-data": "kept\n",
    "var/lib/dhcp/dhclient.leases": "lease\n",
    "var/lib/systemd/random-seed": "seed\n",
    "var/log/syslog": "said\n",
    "var/log/apt/history.log": "said\n",
    "root/.bash_history": "secret\n",
    "home/me/.bash_history": "secret\n",
    "home/me/kept": "kept\n",
  };
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(`${root}/${name.slice(0, name.lastIndexOf("/"))}`, { recursive: true });
      await Deno.writeTextFile(`${root}/${name}`, text);
    }
    await run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", root, path, "64M"]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** The content of a file in an image of such a guest; undefined where it has none. */
async function inGuest(path: string, file: string): Promise<string | undefined> {
  const found = await run(["debugfs", "-R", `stat ${file}`, path]);
  return found.includes("Inode:") ? (await run(["debugfs", "-R", `cat ${file}`, path])).trim() : undefined;
}

const noGuestfs = await requirement("qemu") !== null ? "qemu is missing" : await withoutGuestfs();
if (noGuestfs !== null) console.error(`SKIP sealing of templates: ${noGuestfs}`);

Deno.test({
  name: "sealing removes what is special to the guest, and nothing else",
  ignore: noGuestfs !== null,
  fn: async () => {
    await using server = await readyServer();
    await using pool = await testPool("tmpl");
    const own = { name: await testName("tmpl") };
    await using _named = { [Symbol.asyncDispose]: () => releaseName(own.name) };
    await linuxImage(`${pool.path}/linux.img`);
    await virsh("pool-refresh", pool.name);
    const { versions: [version] } = await call(server, "create_template", {
      name: own.name,
      image: `${pool.name}/linux.img`,
      pool: pool.name,
      memoryMb: 256,
      seal: [...SEALS],
    });
    const raw = `${pool.path}/sealed.raw`;
    await run(["qemu-img", "convert", "-O", "raw", version!.disks[0]!.path, raw]);
    assert.equal(await inGuest(raw, "/etc/machine-id"), "");
    for (
      const gone of [
        "/etc/ssh/ssh_host_rsa_key",
        "/etc/udev/rules.d/70-persistent-net.rules",
        "/var/lib/cloud/instances",
        "/var/lib/dhcp/dhclient.leases",
        "/var/lib/systemd/random-seed",
        "/var/log/syslog",
        "/var/log/apt/history.log",
        "/root/.bash_history",
        "/home/me/.bash_history",
        "/.kvm-manager-seal",
      ]
    ) assert.equal(await inGuest(raw, gone), undefined, gone);
    for (
      const kept of [
        "/etc/ssh/sshd_config",
        "/etc/udev/rules.d/99-own.rules",
        "/var/lib/cloud/seed/nocloud/user-data",
        "/home/me/kept",
      ]
    ) assert.equal(await inGuest(raw, kept), "kept", kept);
    assert.notEqual(await inGuest(raw, "/var/log/apt"), undefined);
    await run(["qemu-img", "create", "-q", "-f", "qcow2", `${pool.path}/empty.img`, "64M"]);
    await virsh("pool-refresh", pool.name);
    const empty = { name: `${own.name}-x`, image: `${pool.name}/empty.img`, pool: pool.name, memoryMb: 256 };
    // What has no operating system cannot be sealed.
    await refused(call(server, "create_template", { ...empty, seal: ["machine-id"] }), "TemplateNotSealed");
    // The image stays as it was.
    assert.match(await inGuest(`${pool.path}/linux.img`, "/etc/machine-id") ?? "", /^0123/);
  },
});
