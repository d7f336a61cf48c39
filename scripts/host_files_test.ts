/**
 * Files by the paths that libvirt and people give are looked at through the mount gate (`agent/machine/host_files.ts`,
 * `agent/machine/host_file.ts`, `agent/machine/files.ts`): a look around it at a mount that does not respond keeps one of the process's
 * blocking threads for ever.
 */
import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { programSources, PROJECT } from "./project.ts";

/** Calls that touch a file by its path. */
const DIRECT =
  /\bDeno\.(?:stat|lstat|open|create|realPath|readLink|readDir|readFile|readTextFile|writeFile|writeTextFile|remove|rename|link|symlink|mkdir|makeTemp\w+|truncate|chown|chmod|copyFile|utime|watchFs)(?:Sync)?\b|\bfrom "node:fs(?:\/promises)?"|\b(?:holdFile|holdFolder|realPathOfBytes|openDescriptor|FileHoles\.open|ImageLock\.take)\(/;

/** Source → the paths it touches itself, none of which libvirt or people give. */
const ALLOWED: Readonly<Record<string, string>> = {
  "agent/machine/host_file.ts": "the gate's own functions",
  "agent/machine/host_files.ts": "the gate's own functions",
  "agent/machine/files.ts": "the gate's own functions, and names of /proc, /sys and /run",
  "agent/machine/mount_gate.ts": "the gate itself",
  "agent/access/host_accounts.ts": "/etc/pam.d",
  "agent/backups/file_session.ts": "the data folder",
  "agent/clock.ts": "/proc",
  "agent/demo/enter.ts": "its own folder",
  "agent/demo/libvirt/host_simulation.ts": "its own folder",
  "agent/demo/seed/backups.ts": "the data folder",
  "agent/guestfs/guestfs.ts": "the data folder",
  "agent/host_devices/devices.ts": "/sys",
  "agent/host_devices/host_use.ts": "/sys, /dev",
  "agent/hosts/install/handler.ts": "its own program",
  "agent/hosts/install/installation.ts": "its own program",
  "agent/machine/open_files.ts": "/proc",
  "agent/machine/own_binary.ts": "its own program",
  "agent/hosts/linked/identity.ts": "the data folder",
  "agent/hosts/inventory/domain_scan.ts": "/etc/libvirt, /run/libvirt",
  "agent/hosts/inventory/watch.ts": "/etc/libvirt, /run/libvirt",
  "agent/machine/kvm_probe.ts": "/dev/kvm, /tmp",
  "agent/hosts/leases.ts": "/var/lib/libvirt/dnsmasq",
  "agent/machine/local.ts": "/run/libvirt, /proc",
  "agent/machine/network_devices.ts": "/sys",
  "agent/hosts/operating_systems.ts": "/usr/share",
  "agent/machine/qemu_processes.ts": "/proc",
  "agent/hosts/share_drivers.ts": "/usr/share, /etc",
  "agent/http/connections.ts": "/proc",
  "agent/http/server.ts": "its own socket",
  "agent/metrics/host_reading.ts": "/proc, /sys",
  "agent/metrics/metric_file.ts": "the data folder",
  "agent/metrics/metric_service.ts": "the data folder",
  "agent/network/forwards/forwards.ts": "/sys",
  "agent/network/forwards/kernel.ts": "/sys",
  "agent/network/forwards/sockets.ts": "/proc",
  "agent/network/forwards/tools.ts": "programs",
  "agent/network/links.ts": "/sys",
  "agent/storage/disk_images/size.ts": "/sys",
  "agent/operations/open_marks.ts": "the data folder",
  "agent/outbound/fetch.ts": "certificates that the settings name",
  "agent/machine/processes.ts": "/proc",
  "agent/machine/temp_file.ts": "/tmp",
  "agent/settings.ts": "the settings",
  "agent/storage/block_devices.ts": "/sys, /dev",
  "agent/storage/copy.ts": "/proc",
  "agent/storage/images/catalog.ts": "the catalogue that the settings name",
  "agent/sealing/key_file.ts": "the folder of the encryption keys, the credentials of systemd",
  "agent/sealing/secrets.ts": "the data folder",
  "agent/storage/mounts.ts": "/proc, /sys",
  "agent/store/as_owner.ts": "the data folder",
  "agent/store/database.ts": "the data folder",
  "agent/store/file_watch.ts": "the data folder",
  "agent/store/first_start.ts": "the data folder",
  "agent/store/folder_lock.ts": "the data folder, /proc",
  "agent/system/lock_manager/conf_files.ts": "libvirt's configuration files",
  "agent/system/lock_manager/daemons.ts": "/proc, sockets of libvirt's daemons",
  "agent/system/lock_manager/look.ts": "/proc, libvirt's configuration files",
  "agent/system/lock_manager/trial_lease.ts": "a folder below /run/libvirt/qemu",
  "agent/hosts/credentials/list.ts": "the data folder, the certificate that the settings name",
  "agent/hosts/ssh/connection.ts": "the runtime folder",
  "agent/hosts/ssh/files.ts": "the data folder, and the runtime folder",
  "agent/store/journal.ts": "the data folder",
  "agent/store/store.ts": "the data folder",
  "agent/store/state.ts": "the data folder, and a backup of it by the command line",
  "agent/store/state_restore.ts": "the data folder and the settings, by the command line",
  "agent/system/certificate/certificates.ts": "the certificate that the settings name",
  "agent/system/doctor/certificate.ts": "the certificate that the settings name",
  "agent/system/doctor/firewall.ts": "/etc",
  "agent/system/doctor/gather.ts": "/proc, /dev, /var/lib",
  "agent/system/install/credential.ts": "the installation, by the command line",
  "agent/system/install/install.ts": "the installation, by the command line",
  "agent/system/install/steps.ts": "the installation, by the command line",
  "agent/system/install/system.ts": "/run, /etc",
  "agent/help/read.ts": "the program's own files",
  "agent/i18n/catalogs.ts": "the program's own files, and a folder that its environment names",
  "agent/vm/guest_tools/programs.ts": "the program's own files",
};

Deno.test("no source touches files of the host around the mount gate", async () => {
  const direct = new Set<string>();
  for (const path of await programSources(join(PROJECT, "agent"))) {
    const code = (await Deno.readTextFile(path)).replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
    // A method of `hostFiles` is the gate's.
    if (DIRECT.test(code.replaceAll(/\bhostFiles\.\w+\(/g, "("))) direct.add(relative(PROJECT, path));
  }
  assert.deepEqual(
    [...direct].filter((path) => !(path in ALLOWED)),
    [],
    "use agent/machine/host_files.ts instead",
  );
  assert.deepEqual(Object.keys(ALLOWED).filter((path) => !direct.has(path)), [], "is listed for nothing");
});

/** Sources that start a program themselves: each ends it by `killAndWait` of agent/machine/programs.ts. */
const STARTERS = [
  "agent/guestfs/session.ts",
  "agent/hosts/ssh/connection.ts",
  "agent/hosts/ssh/remote_shell.ts",
  "agent/machine/kvm_probe.ts",
  "agent/machine/programs.ts",
  "agent/storage/images/unpack.ts",
  "agent/storage/qemu_img.ts",
];

Deno.test("programs are run by agent/machine/programs.ts, which waits for none without a limit", async () => {
  const found: string[] = [];
  for (const path of await programSources(join(PROJECT, "agent"))) {
    const code = await Deno.readTextFile(path);
    if (!/\bnew Deno\.Command\(/.test(code)) continue;
    found.push(relative(PROJECT, path));
    assert.match(code, /\bkillAndWait\(/, path);
  }
  assert.deepEqual(found.toSorted(), STARTERS);
});
