/** Shared folders: which folders of the host a guest is never given, their tags, and how a guest mounts one. Pure. */
import { type Message, message, type Sentence, type VmReference } from "../i18n/message.ts";
import { MOST_SHARE_TAG, SHARE_TAG } from "../contract/choices.ts";

/** Folders by which root of a guest would be root of the host, or would take it down. */
const SYSTEM = [
  ...["/proc", "/sys", "/dev", "/run", "/var/run", "/etc", "/boot", "/root", "/usr", "/bin", "/sbin"],
  ...["/lib", "/lib32", "/lib64", "/libx32", "/opt", "/snap", "/nix", "/gnu", "/ostree", "/sysroot", "/efi"],
  // libvirt's own: definitions, state, saved memory, default pool
  ...["/var/lib/libvirt", "/var/cache/libvirt", "/var/log/libvirt"],
  // Of packages, containers and services that run as root; jobs of cron and at; copies of /etc/shadow; what root unpacks,
  // installs and runs; what is sent to root; who did what
  "/var/lib",
  "/var/spool",
  "/var/backups",
  "/var/cache",
  "/var/mail",
  "/var/log",
  "/var/opt",
  "/var/local",
];
/** Folders that hold what is everybody's: one folder in them may be shared, not all of it. */
const SHARED_BY_ALL = ["/home", "/tmp", "/var/tmp", "/mnt", "/media", "/srv"];

/** A folder that must not be shared, and what it is. */
export interface ClosedFolder {
  readonly path: string;
  readonly what: Sentence;
  /** Its content may be shared, except paths that begin with this; without it, none of its content may be. */
  readonly openBut?: string;
}

/** The folders of every host that are not shared. */
export const CLOSED_FOLDERS: readonly ClosedFolder[] = [
  ...SYSTEM.map((path) => ({
    path,
    what: path.includes("libvirt") ? "a folder of libvirt" : "a folder of the host's system",
  })),
  // No name begins with a slash: all that is in it is open
  ...SHARED_BY_ALL.map((path) => ({ path, what: "a folder of all users of the host", openBut: "/" })),
];

/** The home of somebody: programs run what its hidden files say, and keys in them open accounts. */
export const homeFolder = (path: string): ClosedFolder => ({
  path,
  what: "a home folder, with its user's SSH keys and programs' settings",
  openBut: ".",
});

const within = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);

/** Whether a path in a closed folder may be shared. */
const isOpenIn = (path: string, { path: folder, openBut }: ClosedFolder): boolean =>
  openBut !== undefined && !path.slice(folder.length + 1).startsWith(openBut);

/** Why a folder must not be shared, as the end of a sentence; undefined where it may be. @param path without links */
export function closedReason(path: string, closed: readonly ClosedFolder[]): Sentence | undefined {
  if (path === "/") return "it is the host's whole file system";
  for (const each of closed) {
    if (each.path === path) return message`it is ${each.what}`;
    if (within(path, each.path) && !isOpenIn(path, each)) return message`it is in ${each.path}, ${each.what}`;
    if (within(each.path, path)) return message`${each.path}, ${each.what}, is in it`;
  }
  return undefined;
}

/** A folder that a VM shares. */
export interface SharedFolder {
  readonly path: string;
  /** The VM. */
  readonly vm: VmReference;
}

/**
 * Why a folder must not be shared in addition to the shares that there are, as the end of a sentence. A guest could put a link
 * in the place of a folder in its share; the same folder may be shared several times.
 *
 * @param path without links
 */
export function nestedReason(path: string, shares: readonly SharedFolder[]): Message | undefined {
  for (const { path: shared, vm } of shares) {
    if (shared === path) continue;
    if (within(path, shared)) {
      return message`it is in ${shared}, a shared folder of ${vm}, whose guest could put a link in its place`;
    }
    if (within(shared, path)) {
      return message`${shared}, a shared folder of ${vm}, is in it, and the guest could put a link in its place`;
    }
  }
  return undefined;
}

/** Why nothing of the host's own is kept in a folder, as the end of a sentence; undefined where it may be. @param path without links */
export function guestReason(path: string, shares: readonly SharedFolder[]): Message | undefined {
  for (const { path: shared, vm } of shares) {
    if (within(path, shared)) return message`a guest writes there: ${shared} is a shared folder of ${vm}`;
    if (within(shared, path)) {
      return message`${shared}, a shared folder of ${vm}, is in it, and a guest writes there`;
    }
  }
  return undefined;
}

/** Whether the guest can change what is above a folder that is in one of these shares. @param path without links */
export const sharesAbove = (path: string, shares: readonly SharedFolder[]): SharedFolder | undefined =>
  shares.find(({ path: shared }) => shared !== path && within(path, shared));

/** A tag made of a folder's name; undefined where nothing of that can be one. */
export function tagOf(folder: string, driver: keyof typeof MOST_SHARE_TAG): string | undefined {
  const name = folder.split("/").findLast((part) => part !== "") ?? "";
  const tag = name.replaceAll(/[^A-Za-z0-9_-]+/g, "-").slice(0, MOST_SHARE_TAG[driver]).replaceAll(
    /^-+|-+$/g,
    "",
  );
  return tag === "" ? undefined : tag;
}

/**
 * Commands that mount a share in a Linux guest: at once, and at each boot (a line of /etc/fstab). Undefined for a tag
 * that another program gave and that a shell of root would not take as a name alone, or mount as an option.
 */
export function mountCommands(
  { tag, driver, readOnly }: { readonly tag: string; readonly driver: string; readonly readOnly: boolean },
): { readonly now: string; readonly fstab: string } | undefined {
  if (!new RegExp(SHARE_TAG).test(tag) || tag.startsWith("-")) return undefined;
  const options = [
    ...readOnly ? ["ro"] : [],
    ...driver === "virtiofs" ? [] : ["trans=virtio", "version=9p2000.L"],
  ];
  const type = driver === "virtiofs" ? "virtiofs" : "9p";
  const given = options.length === 0 ? "" : ` -o ${options.join(",")}`;
  return {
    now: `mkdir -p /mnt/${tag} && mount -t ${type}${given} ${tag} /mnt/${tag}`,
    fstab: `${tag} /mnt/${tag} ${type} ${[...options, "nofail"].join(",")} 0 0`,
  };
}
