/**
 * Settings of libvirt's lock manager in its configuration. Source: qemu.conf, qemu-lockd.conf, qemu-sanlock.conf. Pure.
 */
import type { LockDriver } from "../../contract/lock_manager.ts";
import { ConfError, readConf, settingOf } from "../../formats/libvirt_conf.ts";
import { oneLine } from "../../text/text.ts";

/** Texts of the files; empty where there is no such file. */
export interface LockConfTexts {
  readonly qemu: string;
  readonly lockd: string;
  readonly sanlock: string;
}

export interface LockSettings {
  readonly driver: LockDriver;
  /** A line that libvirt would not read, or an unknown driver. */
  readonly fault: string | null;
  readonly automatic: boolean;
  readonly required: boolean;
  readonly lockspace: string | null;
  /** sanlock's number of this host. */
  readonly hostNumber: number | null;
}

/** Paths of the configuration files. */
export const LOCK_CONF = {
  qemu: "/etc/libvirt/qemu.conf",
  lockd: "/etc/libvirt/qemu-lockd.conf",
  sanlock: "/etc/libvirt/qemu-sanlock.conf",
} as const satisfies Record<keyof LockConfTexts, string>;

/** Default folder of sanlock's leases. */
export const SANLOCK_FOLDER = "/var/lib/libvirt/sanlock";

/** Reads one file's settings by name. @throws {ConfError} with the file's name */
function reader(text: string, file: string) {
  const entries = readConf(text);
  const get = (name: string) => settingOf(entries, name)?.value;
  return {
    text: (name: string): string | undefined => {
      const value = get(name);
      if (value === undefined || typeof value === "string") return value;
      throw new Error(`${name} in ${file} is no text`);
    },
    number: (name: string): number | undefined => {
      const value = get(name);
      if (value === undefined || typeof value === "number") return value;
      throw new Error(`${name} in ${file} is no number`);
    },
    flag: (name: string): boolean | undefined => {
      const value = get(name);
      if (value === undefined) return undefined;
      if (typeof value !== "number") throw new Error(`${name} in ${file} is neither 0 nor 1`);
      return value !== 0;
    },
  };
}

const NONE = { automatic: false, required: false, lockspace: null, hostNumber: null } as const;

function settingsOf({ qemu, lockd, sanlock }: LockConfTexts): LockSettings {
  const word = reader(qemu, LOCK_CONF.qemu).text("lock_manager");
  if (word === undefined) return { driver: "none", fault: null, ...NONE };
  if (word !== "lockd" && word !== "sanlock") {
    const fault = `lock_manager in ${LOCK_CONF.qemu} is ${oneLine(word, 40)}: libvirt has lockd and sanlock`;
    return { driver: "unknown", fault, ...NONE };
  }
  const isLockd = word === "lockd", own = reader(isLockd ? lockd : sanlock, LOCK_CONF[word]);
  const automatic = own.flag("auto_disk_leases") ?? isLockd;
  const hostNumber = (isLockd ? undefined : own.number("host_id")) || null;
  if (!isLockd && automatic && hostNumber === null) {
    const fault =
      `auto_disk_leases is 1 in ${LOCK_CONF.sanlock}, and host_id is not set: libvirt ends with it`;
    return { driver: "unknown", fault, ...NONE };
  }
  return {
    driver: word,
    fault: null,
    automatic,
    // libvirt asks for <lease> devices where it makes none itself
    required: own.flag("require_lease_for_disks") ?? !automatic,
    lockspace: isLockd
      ? own.text("file_lockspace_dir") ?? null
      : automatic
      ? own.text("disk_lease_dir") ?? SANLOCK_FOLDER
      : null,
    hostNumber,
  };
}

/** Reads the files together. */
export function readLockSettings(texts: LockConfTexts): LockSettings {
  try {
    for (const [name, file] of Object.entries(LOCK_CONF) as [keyof LockConfTexts, string][]) {
      try {
        readConf(texts[name]);
      } catch (error) {
        throw error instanceof ConfError ? new Error(`${file}, ${error.message}`, { cause: error }) : error;
      }
    }
    return settingsOf(texts);
  } catch (error) {
    // ConfError where a name is set twice; Error for a value of the wrong kind
    if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError) throw error;
    return { driver: "unknown", fault: oneLine(error.message, 300), ...NONE };
  }
}

/** The name of the lease of a disk in a folder for leases: the SHA-256 of its path. Source: lock_driver_lockd.c */
export async function leaseName(path: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(path)));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
