/**
 * Commands of guestfish that remove identities from a Linux guest in a template's disks. All names are constants of
 * ours: no word of a guest gets into a command. Pure.
 */
import type { SEALS } from "../contract/template_bounds.ts";

export type Seal = typeof SEALS[number];

/** Files, and what is done to them: `empty` keeps the file, whose absence means something else. */
interface Removal {
  readonly empty?: readonly string[];
  readonly files?: readonly string[];
  readonly folders?: readonly string[];
}

const HISTORIES = [".bash_history", ".sh_history", ".ash_history", ".zsh_history", ".python_history"];

const REMOVALS: Readonly<Record<Seal, Removal>> = {
  // systemd makes a new one of an empty file; without the file it takes the start for the very first one, and asks.
  "machine-id": { empty: ["/etc/machine-id"], files: ["/var/lib/dbus/machine-id"] },
  "ssh-host-keys": { files: ["/etc/ssh/ssh_host_*_key", "/etc/ssh/ssh_host_*_key.pub"] },
  // As `cloud-init clean`: what people have put there (seed, scripts) stays.
  "cloud-init": {
    folders: ["instance", "instances", "sem", "data", "handlers"].map((name) => `/var/lib/cloud/${name}`),
  },
  "dhcp-leases": {
    files: [
      "/var/lib/dhcp/*",
      "/var/lib/dhclient/*",
      "/var/lib/dhcpcd/*",
      "/var/lib/NetworkManager/*.lease",
      "/var/lib/NetworkManager/timestamps",
    ],
  },
  "udev-net-rules": { files: ["/etc/udev/rules.d/70-persistent-net.rules"] },
  "random-seed": {
    files: ["/var/lib/systemd/random-seed", "/var/lib/random-seed", "/var/lib/urandom/random-seed"],
  },
  // Services expect their folders.
  "logs": { files: ["/var/log/*", "/var/log/*/*"], folders: ["/var/log/journal/*"] },
  "shell-history": { files: HISTORIES.flatMap((name) => [`/root/${name}`, `/home/*/${name}`]) },
};

/** The commands that remove it, which may find nothing. */
export function sealCommands(seals: readonly Seal[]): string[] {
  return seals.flatMap((seal) => {
    const { empty = [], files = [], folders = [] } = REMOVALS[seal];
    return [
      ...folders.map((path) => `glob rm-rf ${path}`),
      ...empty.map((path) => `truncate ${path}`),
      ...files.map((path) => `glob rm-f ${path}`),
    ];
  });
}

/** Harmless errors: the file is absent, or a folder is among files. */
const HARMLESS = /: (No such file or directory|Is a directory)$/;

/** A complaint: guestfish says before it which line of its input it is of. */
const COMPLAINT = /^(?:\*stdin\*:\d+: )?libguestfs: error: (.*)$/;

/** Why a guest was not sealed, of what guestfish said of its commands; undefined where it was. */
export function sealFault(said: string): string | undefined {
  return said.split("\n").flatMap((line) => COMPLAINT.exec(line.trim())?.[1] ?? []).find((fault) =>
    !HARMLESS.test(fault)
  );
}
