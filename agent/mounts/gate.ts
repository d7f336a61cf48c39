/**
 * The gate before files of this host: an access is let through when each mount on its way responds, and is refused at
 * once otherwise. Symbolic links are followed here, one component at a time, so that none leads unseen to a mount that
 * hangs. What is mounted is read from /proc, which needs none of the mounts.
 */
import { mountLines } from "../../lib/formats/mountinfo.ts";
import { plainText } from "../../lib/text/byte_text.ts";
import type { Clock } from "../clock.ts";
import { type AccessKind, GuardedMount, type MountPoint } from "./guarded_mount.ts";

/** File systems whose answers come from a server or another process, which may never answer. */
const CAN_HANG: ReadonlySet<string> = new Set([
  "nfs",
  "nfs4",
  "cifs",
  "smb3",
  "smbfs",
  "fuse",
  "fuseblk",
  "9p",
  "virtiofs",
  "ceph",
  "glusterfs",
  "lustre",
  ...["afs", "coda", "ncpfs", "ocfs2", "gfs2", "gpfs", "beegfs", "orangefs", "pvfs2", "vboxsf", "vmhgfs"],
]);

/** Whether a file system of this type waits for a server, or for another process. */
export const canHang = (type: string): boolean => CAN_HANG.has(type) || type.startsWith("fuse.");

/** Milliseconds for which what is mounted, and which component is a link, is remembered. */
const REMEMBERED_MS = 1000;
const MOST_REMEMBERED = 5000;
/** Symbolic links that are followed: the kernel's own limit. */
const MOST_LINKS = 40;
/** Milliseconds between looks at what is mounted, while a mount does not respond and somebody wants to be told. */
const WATCH_MS = 5000;

/** A file that this process holds open. */
const HELD = /^\/proc\/(?:self|\d+)\/fd\/\d+(?=\/|$)/;

/** A mount that does not respond. */
export interface UnresponsiveMount {
  /** Mount point. */
  readonly path: string;
  readonly type: string;
  /** The device or share. */
  readonly source: string;
  /** ISO time. */
  readonly since: string;
}

/** Surroundings of the gate: the clock, the list of mounts, the canary, and reads of links and of /proc. */
export interface GateOutside {
  readonly clock: Clock;
  /** The text of /proc/self/mountinfo. */
  readonly mountinfo: () => string;
  /** Asks a mount something that its server must answer. */
  readonly canary: (at: string) => Promise<unknown>;
  /** Target of a symbolic link; undefined for anything else. @throws {Error} errors of the kernel */
  readonly linkAt: (path: string) => Promise<string | undefined>;
  /** The text of a file of /proc. @throws {Error} */
  readonly procText: (path: string) => Promise<string>;
}

/** How an access is carried out. */
export interface AccessOptions<T> {
  /** {@link AccessKind}; a look when left out. */
  readonly kind?: AccessKind;
  /** Whether a link at the end of the path is followed: true when left out. */
  readonly follow?: boolean;
  /** Gets the result of an access whose caller was refused meanwhile. */
  readonly discard?: (late: T) => void;
}

/** A remembered component of a path: the link's target, or that it is none. */
interface Remembered {
  readonly target: string | undefined;
  readonly until: number;
}

export class MountGate {
  readonly #mounts = new Map<string, GuardedMount>();
  /** By where it is mounted: of several, the one that hides the others. */
  #byPlace = new Map<string, GuardedMount>();
  #text: string | undefined;
  #readUntil = -Infinity;
  #canAnyHang = false;
  readonly #links = new Map<string, Remembered>();
  readonly #listeners = new Set<() => void>();
  #stopWatching: (() => void) | undefined;

  constructor(private readonly outside: GateOutside) {}

  /** The mount that a path without links is on; undefined for what is no absolute path. */
  mountOf(path: string): MountPoint | undefined {
    return this.#guardOf(path)?.mount;
  }

  /** The mounts that do not respond. */
  notResponding(): readonly UnresponsiveMount[] {
    this.#refresh();
    return [...this.#mounts.values()].flatMap(({ mount: { at, type, source }, closedSince }) =>
      closedSince === undefined
        ? []
        : [{ path: at, type, source, since: new Date(closedSince).toISOString() }]
    );
  }

  /** Calls when {@link notResponding} has changed. @returns ends that */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#watch();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#stopWatching?.();
      this.#stopWatching = undefined;
    };
  }

  /** Whether what is mounted at a place answers within so many milliseconds; true where nothing is. */
  async answersWithin(ms: number, at: string): Promise<boolean> {
    this.#refresh();
    return await this.#byPlace.get(at)?.answersWithin(ms) ?? true;
  }

  /** The mount that a path leads to, be there something or not. @throws {ContractError} StorageNotResponding */
  async mountAt(path: string): Promise<MountPoint | undefined> {
    return (await this.#way(path, true))?.mount;
  }

  /** Whether a path leads to a mount whose type can hang. @throws {ContractError} StorageNotResponding */
  async canHangAt(path: string): Promise<boolean> {
    return (await this.#way(path, true))?.canHang ?? false;
  }

  /** Waits until every mount on the way to a path is known to respond. @throws {ContractError} StorageNotResponding */
  async requireResponding(path: string): Promise<void> {
    const guard = await this.#way(path, true);
    await guard?.admit();
  }

  /**
   * Carries one access to a file out: `run` takes one blocking thread at a time, and does not come back here.
   *
   * @throws {ContractError} StorageNotResponding @throws errors of `run`
   */
  async access<T>(path: string, run: () => Promise<T>, options: AccessOptions<T> = {}): Promise<T> {
    const { kind = "look", follow = true, discard } = options;
    const guard = await this.#way(path, follow);
    return guard === undefined ? await run() : await guard.access(kind, run, discard);
  }

  #refresh(): void {
    const now = this.outside.clock.monotonic();
    if (now < this.#readUntil) return;
    this.#readUntil = now + REMEMBERED_MS;
    const text = this.outside.mountinfo();
    if (text !== this.#text) {
      this.#text = text;
      this.#links.clear();
      this.#take(mountLines(text));
    }
    this.#canAnyHang = [...this.#mounts.values()].some(({ isSuspect }) => isSuspect);
  }

  #take(lines: readonly MountPoint[]): void {
    const keys = new Set<string>(), byPlace = new Map<string, GuardedMount>();
    const { clock, canary } = this.outside;
    for (const { id, at, type, source } of lines) {
      const key = `${id} ${at} ${type} ${source}`;
      keys.add(key);
      let guard = this.#mounts.get(key);
      if (guard === undefined) {
        guard = new GuardedMount({ id, at, type, source }, canHang(type), {
          clock,
          canary,
          changed: () => this.#changed(),
        });
        this.#mounts.set(key, guard);
      }
      byPlace.set(at, guard);
    }
    this.#byPlace = byPlace;
    let isChanged = false;
    for (const [key, guard] of this.#mounts) {
      if (keys.has(key)) continue;
      this.#mounts.delete(key);
      guard.removed();
      isChanged ||= guard.closedSince !== undefined;
    }
    if (isChanged) this.#changed();
  }

  #changed(): void {
    this.#readUntil = -Infinity; // a mount of another type counts as one that can hang from now on
    for (const listener of [...this.#listeners]) listener();
    this.#watch();
  }

  /** Notices that a mount which does not respond was taken away. */
  #watch(): void {
    if (this.#listeners.size === 0 || this.#stopWatching !== undefined) return;
    if (![...this.#mounts.values()].some(({ closedSince }) => closedSince !== undefined)) return;
    this.#stopWatching = this.outside.clock.after(WATCH_MS, () => {
      this.#stopWatching = undefined;
      this.#refresh();
      this.#watch();
    });
  }

  #guardOf(path: string): GuardedMount | undefined {
    if (!path.startsWith("/")) return undefined;
    this.#refresh();
    for (let at = path;;) {
      const guard = this.#byPlace.get(at);
      if (guard !== undefined || at === "/") return guard;
      at = at.slice(0, at.lastIndexOf("/")) || "/";
    }
  }

  /** The mount that a path leads to, after all on the way to it have answered. */
  async #way(path: string, follow: boolean): Promise<GuardedMount | undefined> {
    this.#refresh();
    const held = HELD.exec(path)?.[0];
    if (held !== undefined) return await this.#heldBy(held);
    return this.#guardOf(this.#canAnyHang ? await this.#follow(path, follow) : path);
  }

  /** The mount of a file that is held open: the kernel says it without asking the mount. */
  async #heldBy(path: string): Promise<GuardedMount | undefined> {
    const text = await this.outside.procText(path.replace("/fd/", "/fdinfo/"));
    const id = /^mnt_id:\s*(\d+)$/m.exec(text)?.[1];
    return [...this.#mounts.values()].find(({ mount }) => mount.id === id);
  }

  /** The path without links, as far as there is something. */
  async #follow(path: string, followLast: boolean): Promise<string> {
    if (!path.startsWith("/")) return path;
    const rest = path.split("/");
    let at = "/", links = 0;
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
      if (name === "" || name === ".") continue;
      if (name === "..") {
        at = at.slice(0, at.lastIndexOf("/")) || "/";
        continue;
      }
      const next = at === "/" ? `/${name}` : `${at}/${name}`;
      const isLast = rest.every((each) => each === "");
      // A mount is on a folder: it is not touched to see that.
      if (this.#byPlace.has(next) || isLast && !followLast) {
        at = next;
        continue;
      }
      const target = await this.#target(next, at);
      if (target === undefined) at = next;
      else if (++links > MOST_LINKS) return next;
      else {
        rest.unshift(...target.split("/"));
        if (target.startsWith("/")) at = "/";
      }
    }
    return at;
  }

  /** Target of a path's component, if it is a link. @param folder its folder, without links */
  async #target(path: string, folder: string): Promise<string | undefined> {
    const now = this.outside.clock.monotonic(), known = this.#links.get(path);
    if (known !== undefined && now < known.until) return known.target;
    const guard = this.#guardOf(folder);
    const plain = plainText(path);
    if (plain === undefined || guard === undefined) return undefined;
    const target = await guard.access("look", () => this.outside.linkAt(plain));
    if (this.#links.size >= MOST_REMEMBERED) this.#links.clear();
    this.#links.set(path, { target, until: now + REMEMBERED_MS });
    return target;
  }
}
