/** State of a host that KVM Manager is to be installed on, as `LOOK` reports it, and the obstacles. Pure. */
import { fill } from "../i18n/fill.ts";
import { oneLine } from "../text/text.ts";

/** Findings of `LOOK`. */
export interface InstallLook {
  /** As `uname -m` says it. */
  readonly architecture: string;
  readonly hasGlibc: boolean;
  readonly hasSystemd: boolean;
  readonly hasLibvirt: boolean;
  /** Path of a KVM Manager that is installed; undefined for none. */
  readonly program: string | undefined;
  /** An installation was begun there and neither ended nor undone. */
  readonly isBegun: boolean;
  /** Parts that existed before it began, and stay when it is undone: `config`, `data`, `cache`, `user`. */
  readonly parts: readonly string[];
  /** SHA-256 of the program that was copied by it, in hex; empty for none. */
  readonly copied: string;
  /** Free bytes by mount point, and what is to be put there. */
  readonly rooms: readonly { readonly mount: string; readonly freeBytes: number; readonly copies: number }[];
}

/** Copies of the program's size in each folder that is looked at: the program twice, and what it unpacks. */
const COPIES = [2, 4, 1] as const;

/** Characters of a line, and lines: another host says them. */
const LONGEST_LINE = 300, MOST_LINES = 100;
/** Paths that KVM Manager may be installed at. */
const PROGRAM = /^(\/[\w.-]+)+$/;
const PARTS: ReadonlySet<string> = new Set(["config", "data", "cache", "user"]);

/** Reads the lines `name=value` of the look. */
export function readLook(text: string): InstallLook {
  const pairs = text.split("\n", MOST_LINES).map((each) => {
    const line = oneLine(each, LONGEST_LINE);
    return [line.slice(0, Math.max(0, line.indexOf("="))), line.slice(line.indexOf("=") + 1)];
  });
  const value = (name: string) => pairs.find(([each]) => each === name)?.[1] ?? "";
  const rooms = new Map<string, InstallLook["rooms"][number]>();
  for (const [index, [, line = ""]] of pairs.filter(([name]) => name === "room").entries()) {
    const [, , , available, , ...mountWords] = line.trim().split(/\s+/), mount = mountWords.join(" ");
    const before = rooms.get(mount)?.copies ?? 0;
    rooms.set(mount, {
      mount,
      freeBytes: Number(available) * 1024,
      copies: before + (COPIES[index] ?? 0),
    });
  }
  const program = value("program");
  return {
    architecture: value("architecture"),
    hasGlibc: value("libc").startsWith("glibc"),
    hasSystemd: value("systemd") === "yes",
    hasLibvirt: value("libvirt") === "yes",
    program: PROGRAM.test(program) ? program : undefined,
    isBegun: value("begun") === "yes",
    parts: pairs.filter(([name, part]) => name === "part" && PARTS.has(part!)).map(([, part]) => part!),
    copied: /^[0-9a-f]{64}$/.test(value("copied")) ? value("copied") : "",
    rooms: [...rooms.values()],
  };
}

const MB = 1_000_000;

/**
 * Why KVM Manager cannot be installed there, and what to do; undefined when it can.
 *
 * @param architecture of the program that would be copied
 * @param size of it, in bytes
 */
export function installRefusal(look: InstallLook, architecture: string, size: number): string | undefined {
  if (look.architecture !== architecture) {
    return fill("the host is {there}, and this KVM Manager is built for {here}", {
      there: look.architecture || "of an unknown architecture",
      here: architecture,
    });
  }
  if (!look.hasGlibc) return "its system has no glibc, which KVM Manager needs";
  if (!look.hasSystemd) return "systemd does not run there, which starts KVM Manager";
  if (!look.hasLibvirt) {
    return "libvirt is not installed there. Install it: apt-get install libvirt-daemon-system qemu-system, or dnf install libvirt qemu-kvm";
  }
  const full = look.rooms.find(({ freeBytes, copies }) => !(freeBytes >= copies * size));
  return full && fill("{mount} has {free} MB free there, and {needed} MB are needed", {
    mount: full.mount,
    free: Math.floor((full.freeBytes || 0) / MB),
    needed: Math.ceil(full.copies * size / MB),
  });
}
