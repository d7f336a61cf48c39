/**
 * With which of Deno's permissions the packed program runs, and why: by its verb. What speaks to a server alone can
 * neither start programs nor load libraries, whatever a hostile server answers. docs/privileges.md says why the server
 * itself has all: without that Deno reads neither /proc nor /sys, and libvirt is reached through FFI.
 */

/** Verbs that need everything, and for what. */
export const VERBS_WITH_ALL_RIGHTS: Readonly<Record<string, string>> = {
  serve: "libvirt through FFI; nft, ip, qemu-img; /proc and /sys",
  "lock-manager": "libvirt through FFI; libvirt's files, systemctl; /proc",
  doctor: "libvirt through FFI; nft; /proc and /sys",
  install: "systemctl, systemd-sysusers or useradd, chown",
  upgrade: "systemctl, systemd-sysusers or useradd, chown",
  uninstall: "systemctl, userdel; nft and ip, for port forwards",
  status: "systemctl",
  "backup-state": "SQLite's VACUUM INTO: node:sqlite lets it attach a file with all rights alone",
  "restore-state": "setegid and seteuid through FFI: root works in the data folder as the user whose it is",
};

/** Verbs of two words that start a program of the user's choice. */
export const PROGRAM_RIGHTS: Readonly<Record<string, string>> = {
  "vm edit": "the editor",
};

/** All rights. */
export const ALL_FLAGS = ["--allow-all"] as const;
/** Of those that start a program. */
export const PROGRAM_FLAGS = ["--allow-all", "--deny-ffi"] as const;
/** Of every other verb: it reads its settings, and speaks to a server. */
export const CLIENT_FLAGS = ["--allow-all", "--deny-run", "--deny-ffi"] as const;
