/** Shared folders: which folders of the host a guest is never given, their tags, and how a guest mounts one. Pure. */

/** Most bytes of a tag: virtiofs and 9p have 36 for it, and virtio-9p's zero at the end is not counted. */
export const MAX_TAG = 36;
/** What a tag may be, as a schema's pattern. */
export const TAG_PATTERN = "^[A-Za-z0-9_-]+$";

/** Folders by which root of a guest would be root of the host, or would take it down. */
const SYSTEM = [
  ...["/proc", "/sys", "/dev", "/run", "/etc", "/boot", "/usr", "/bin", "/sbin", "/lib", "/lib64"],
  // libvirt's own: definitions, state, saved memory, default pool
  ...["/var/run", "/var/lib/libvirt", "/var/cache/libvirt", "/var/log/libvirt"],
];

/** A folder that must not be shared, and what it is. */
export interface ClosedFolder {
  readonly path: string;
  readonly what: string;
}

/** The folders of every host that are not shared. */
export const CLOSED_FOLDERS: readonly ClosedFolder[] = SYSTEM.map((path) => ({
  path,
  what: path.includes("libvirt") ? "a folder of libvirt" : "a folder of the host's system",
}));

const within = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);

/** Why a folder must not be shared, as the end of a sentence; undefined where it may be. @param path without links */
export function closedReason(path: string, closed: readonly ClosedFolder[]): string | undefined {
  if (path === "/") return "it is the host's whole file system";
  for (const each of closed) {
    if (each.path === path) return `it is ${each.what}`;
    if (within(path, each.path)) return `it is in ${each.path}, ${each.what}`;
    if (within(each.path, path)) return `${each.path}, ${each.what}, is in it`;
  }
  return undefined;
}

/** A tag made of a folder's name; undefined where nothing of that can be one. */
export function tagOf(folder: string): string | undefined {
  const name = folder.split("/").findLast((part) => part !== "") ?? "";
  const tag = name.replaceAll(/[^A-Za-z0-9_-]+/g, "-").slice(0, MAX_TAG).replaceAll(/^-+|-+$/g, "");
  return tag === "" ? undefined : tag;
}

/** What mounts a share in a Linux guest: at once, and at each boot (a line of /etc/fstab). */
export function mountLines(
  { tag, driver, readOnly }: { readonly tag: string; readonly driver: string; readonly readOnly: boolean },
): { readonly now: string; readonly fstab: string } {
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
