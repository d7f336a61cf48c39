/**
 * Owners of media before VMs had them. libvirt gives a file to QEMU's user when it is opened for a VM, and gives back
 * only files that one VM alone may write: images that are read only or shared, as every ISO, it leaves with QEMU's user
 * for ever (`virSecurityDACRestoreImageLabelSingle`, libvirt 9.0). The owner seen before is put back here.
 */
import type { DatabaseSync } from "node:sqlite";
import { LibvirtError } from "../../ffi/error.ts";
import { ContractError, type VM } from "../../lib/contract/mod.ts";
import type { QemuUser } from "../../lib/formats/xml/capabilities.ts";
import type { Clock } from "../clock.ts";
import { isSystemError } from "../machine/files.ts";
import { reach, realPathOf } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";
import type { HostMedia } from "../hosts/media.ts";
import { log } from "../log.ts";
import type { Migration } from "../store/migrations.ts";
import type { Store } from "../store/store.ts";

export const MEDIA_OWNER_MIGRATIONS: readonly Migration[] = [
  `CREATE TABLE media_owners (
     path  TEXT PRIMARY KEY,   -- without links
     inode TEXT NOT NULL,      -- device and number of the file that it was
     uid   INTEGER NOT NULL,
     gid   INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,
];

/** Milliseconds for which no VM must name a file: one that gets it has it before libvirt says so. */
const UNUSED_MS = 5000;

interface Owner {
  readonly path: string;
  readonly inode: string;
  readonly uid: number;
  readonly gid: number;
}

const inodeOf = ({ dev, ino }: Deno.FileInfo) => `${dev}:${ino ?? 0}`;

/** A file that is looked at, and can be changed by: whatever becomes of its name meanwhile. */
interface Held extends Disposable {
  readonly path: string;
  readonly info: Deno.FileInfo;
}

/** The file at a path; undefined where there is none. @throws system errors but that one */
async function fileAt(path: string): Promise<Held | undefined> {
  try {
    const held = await reach(path);
    return {
      path: held.path,
      info: await hostFiles.stat(held.path),
      [Symbol.dispose]: () => held[Symbol.dispose](),
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

/** Errors of the system, libvirt or a storage that does not respond. */
const isPassedOver = (error: unknown) =>
  isSystemError(error) || error instanceof ContractError || error instanceof LibvirtError;

/** Queries to the host. */
export interface MediaHost {
  /** Undefined while it is not known which there are. */
  readonly vms: () => Iterable<Pick<VM, "disks">> | undefined;
  /** User that QEMU runs as; undefined where libvirt does not report it. */
  readonly qemuUser: () => Promise<QemuUser | undefined>;
}

export class MediaOwners implements HostMedia {
  readonly #owners = new Map<string, Owner>();
  /** Path → since when no VM has named it; monotonic milliseconds. */
  readonly #unused = new Map<string, number>();
  /** Path as a VM has it → the same without links, as it was when the VM got it. */
  readonly #real = new Map<string, string>();
  /** Path → how many changes are giving it to a VM now. */
  readonly #held = new Map<string, number>();

  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly host: MediaHost,
  ) {
    store.attach((database) => this.#read(database));
  }

  /**
   * Remembers who owns a file, before a VM gets it, and does not give it back until what it gave is disposed of. What cannot
   * be seen is passed over.
   *
   * @param path of a medium
   */
  async hold(path: string): Promise<Disposable> {
    const real = await realPathOf(path).catch((error) => {
      if (!isPassedOver(error)) throw error;
      return path;
    });
    this.#held.set(real, (this.#held.get(real) ?? 0) + 1);
    this.#unused.delete(real);
    await this.#remember(real);
    return {
      [Symbol.dispose]: () => {
        const left = this.#held.get(real)! - 1;
        if (left > 0) this.#held.set(real, left);
        else this.#held.delete(real);
      },
    };
  }

  async #remember(real: string): Promise<void> {
    try {
      const user = await this.host.qemuUser();
      using file = await fileAt(real);
      if (file === undefined) return;
      const { info } = file;
      if (!info.isFile || info.uid === null || info.gid === null || user === undefined) return;
      const known = this.#owners.get(real), inode = inodeOf(info);
      // One that is QEMU's already had its owner seen before, or never.
      if (
        info.uid === user.uid || (known?.inode === inode && known.uid === info.uid && known.gid === info.gid)
      ) return;
      this.#keep({ path: real, inode, uid: info.uid, gid: info.gid });
    } catch (error) {
      if (!isPassedOver(error)) throw error;
      log.debug("the owner of a medium cannot be seen", { path: real, error });
    }
  }

  /** Remembers the owners of what a VM has in its drives and may only read. */
  async rememberAll({ disks }: Pick<VM, "disks">): Promise<void> {
    for (const { type, device, source, readOnly, shareable } of disks) {
      const stays = device === "cdrom" || readOnly === true || shareable === true;
      if (type === "file" && source !== undefined && stays) (await this.hold(source))[Symbol.dispose]();
    }
  }

  /** Puts back what no VM has any more. Files that are gone or replaced are forgotten. */
  async putBack(): Promise<void> {
    const vms = this.#owners.size === 0 ? undefined : this.host.vms();
    if (vms === undefined) return;
    const user = await this.host.qemuUser().catch((error) => {
      if (isPassedOver(error)) return undefined;
      throw error;
    });
    if (user === undefined) return;
    let named = await this.#named(vms, false);
    for (const { path } of this.#owners.values()) if (named.has(path)) this.#unused.delete(path);
    const unused = [...this.#owners.values()].filter(({ path }) => !named.has(path));
    if (unused.some(({ path }) => this.#isUnused(path))) {
      // A link may lead elsewhere by now: what would be given back is looked for once more
      const now = this.host.vms();
      if (now === undefined) return;
      named = await this.#named(now, true);
    }
    for (const owner of unused) if (!named.has(owner.path)) await this.#putBackOne(owner, user);
  }

  /**
   * The files that VMs have, without links. VMs that are off count: one may be started in this moment, by libvirt itself, too,
   * and QEMU could not open its medium then.
   *
   * @param isFresh follows all links again, not those alone of what VMs have got since
   */
  async #named(vms: Iterable<Pick<VM, "disks">>, isFresh: boolean): Promise<Set<string>> {
    const sources = new Set([...vms].flatMap(({ disks }) => disks.flatMap(({ source }) => source ?? [])));
    for (const source of [...this.#real.keys()]) {
      if (isFresh || !sources.has(source)) this.#real.delete(source);
    }
    for (const source of sources) {
      if (!this.#real.has(source)) this.#real.set(source, await realPathOf(source).catch(() => source));
    }
    return new Set([...sources].map((source) => this.#real.get(source) ?? source));
  }

  /** Whether no VM has named a file for long enough. */
  #isUnused(path: string): boolean {
    const since = this.#unused.get(path);
    return since !== undefined && this.clock.monotonic() - since >= UNUSED_MS;
  }

  async #putBackOne(owner: Owner, user: QemuUser): Promise<void> {
    const { path, inode, uid, gid } = owner;
    try {
      using file = await fileAt(path);
      if (this.#held.has(path)) return;
      if (file === undefined || inodeOf(file.info) !== inode) return this.#forget(path);
      // A VM that is given it just now does not name it yet
      if (!this.#unused.has(path)) this.#unused.set(path, this.clock.monotonic());
      if (!this.#isUnused(path)) return;
      if (file.info.uid === user.uid) {
        await hostFiles.chown(file.path, uid, gid);
        log.info("a medium was given back to its owner", { path, uid, gid });
      }
      // A change that has begun meanwhile gives it to a VM: then it is put back after that one
      if (!this.#held.has(path)) this.#forget(path);
    } catch (error) {
      if (!isPassedOver(error)) throw error;
      log.warn("a medium cannot be given back to its owner", { path, uid, gid, error });
      // A storage that does not respond may do so again; what the system refuses it refuses the next time, too.
      if (isSystemError(error)) this.#forget(path);
    }
  }

  #keep(owner: Owner): void {
    this.#owners.set(owner.path, owner);
    const { path, inode, uid, gid } = owner;
    this.store.keep(`owner of ${path}`, () => {
      this.store.database!.prepare(
        "INSERT OR REPLACE INTO media_owners (path, inode, uid, gid) VALUES (?, ?, ?, ?)",
      )
        .run(path, inode, uid, gid);
    });
  }

  #forget(path: string): void {
    this.#owners.delete(path);
    this.#unused.delete(path);
    this.store.keep(`owner of ${path}`, () => {
      this.store.database!.prepare("DELETE FROM media_owners WHERE path = ?").run(path);
    });
  }

  #read(database: DatabaseSync): void {
    for (const { path, inode, uid, gid } of database.prepare("SELECT * FROM media_owners").all()) {
      const owner = { path: String(path), inode: String(inode), uid: Number(uid), gid: Number(gid) };
      if (!this.#owners.has(owner.path)) this.#owners.set(owner.path, owner);
    }
  }
}
