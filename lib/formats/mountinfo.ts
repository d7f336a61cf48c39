/** Mounts of a host, as its kernel reports them. Source: proc(5), mountinfo. Pure. */

/** One mount. */
export interface Mount {
  /** Mount point. */
  readonly at: string;
  /** The device or share; not a path for what has none. */
  readonly source: string;
  readonly readOnly: boolean;
  /** Nothing can be written by this process: also in a sandbox that leaves the folder to libvirt alone. */
  readonly readOnlyHere: boolean;
}

/** The kernel writes blanks and backslashes in octal. */
const plain = (text: string) =>
  text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));

const isRo = (options: string) => options.split(",").includes("ro");

/** A line of mountinfo: what is mounted where, and as what. */
export interface MountLine {
  /** The kernel's number of the mount: another one has it only when this one is gone, and nothing holds it any more. */
  readonly id: string;
  /** The device's number, `8:1`. */
  readonly number: string;
  /** The folder of the file system that is mounted. */
  readonly root: string;
  readonly at: string;
  readonly type: string;
  readonly source: string;
  /** Whether this mount of it, and the file system itself, is read-only. */
  readonly here: boolean;
  readonly itself: boolean;
}

/** All of /proc/self/mountinfo, the last mounted last. */
export function mountLines(text: string): MountLine[] {
  return text.split("\n").flatMap((line) => {
    const [front = "", back = ""] = line.split(" - ");
    const [id = "", , number = "", root = "", at, here = ""] = front.split(" ");
    const [type = "", source = "", itself = ""] = back.split(" ");
    return at === undefined ? [] : [{
      id,
      number,
      root,
      at: plain(at),
      type,
      source: plain(source),
      here: isRo(here),
      itself: isRo(itself),
    }];
  });
}

/**
 * Reads /proc/self/mountinfo, the last mounted last. In systemd's sandbox (ProtectSystem=strict) all is mounted
 * read-only for us, and nothing for libvirt: there only a file system that is read-only itself counts.
 */
export function parseMounts(text: string): Mount[] {
  const lines = mountLines(text);
  const isSandbox = mountOf(lines, "/")?.here ?? false;
  return lines.map(({ at, source, here, itself }) => ({
    at,
    source,
    readOnly: itself || here && !isSandbox,
    readOnlyHere: itself || here,
  }));
}

/** Whether a path is a folder or below it. */
export const isBelow = (path: string, folder: string) =>
  path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);

/** The mount that a path without links is on. */
export function mountOf<M extends { readonly at: string }>(
  mounts: readonly M[],
  path: string,
): M | undefined {
  return mounts.filter(({ at }) => isBelow(path, at)).reduce<M | undefined>(
    (found, each) => found === undefined || each.at.length >= found.at.length ? each : found,
    undefined,
  );
}

/**
 * The folders that systemd hides from this process: something empty (ProtectHome, InaccessiblePaths) or of its own
 * (PrivateTmp) is mounted there, and libvirt sees what is really there.
 */
export function hiddenFolders(text: string): string[] {
  return mountLines(text).filter(({ root }) => /(^|\/)systemd\/inaccessible\/|\/systemd-private-/.test(root))
    .map(({ at }) => at);
}
