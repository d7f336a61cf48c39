/** Requirements of libguestfs on the host: its program, and folders for its disks, its sockets and its small VM. */
import { isThere, undefinedIfMissing } from "../machine/files.ts";
import { log } from "../log.ts";

/** Paths at which Debian and others install it. */
const GUESTFISH = ["/usr/bin/guestfish", "/usr/local/bin/guestfish"];
/** How names of its folders begin. */
const PREFIX = "guestfs-";
/** The file in a folder that is locked as long as somebody works in it. */
const LOCK = "lock";

/** How to get it, where it is not there; undefined where it is. */
export async function guestfsMissing(): Promise<string | undefined> {
  for (const path of GUESTFISH) if (await isThere(path)) return undefined;
  return "libguestfs is not installed on this host. Install it: apt-get install libguestfs-tools (Debian, Ubuntu), " +
    "dnf install guestfs-tools (Fedora, RHEL)";
}

/** Whether its VM is emulated: KVM runs no guests here. */
export const isGuestfsEmulated = async (
  capabilities: { kvmTrouble(): Promise<string | null> },
): Promise<boolean> => await capabilities.kvmTrouble() !== null;

/** How its programs are started: with none of our environment. */
export const guestfsProcess = (folder: string, isEmulated: boolean) =>
  ({
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    cwd: folder,
    clearEnv: true,
    env: {
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      LANG: "C.UTF-8",
      HOME: folder,
      TMPDIR: folder,
      LIBGUESTFS_BACKEND: "direct",
      ...(isEmulated && { LIBGUESTFS_BACKEND_SETTINGS: "force_tcg" }),
    },
  }) as const satisfies Deno.CommandOptions;

/** A folder to work in; gone once it is disposed of. */
export interface GuestfsFolder extends AsyncDisposable {
  readonly path: string;
}

/**
 * The folders in which libguestfs works, below the folder of the database. Each holds some hundred MiB, so that what a kill
 * has left goes at the next start: whatever has no process that works in it.
 */
export class GuestfsFolders {
  #cleared = Promise.resolve();

  constructor(private readonly dataDir: string) {}

  /** Removes what was left over. Only what makes a folder waits for it. */
  start(): void {
    this.#cleared = this.#clear().catch((error) =>
      log.warn("what libguestfs has left could not be removed", { dataDir: this.dataDir, error })
    );
  }

  /** Resolved once it does nothing by itself any more. */
  async stop(): Promise<void> {
    await this.#cleared;
  }

  /** Makes one that no other account can enter. */
  async make(): Promise<GuestfsFolder> {
    // What is not locked yet would be taken for left over.
    await this.#cleared;
    const path = await Deno.makeTempDir({ dir: this.dataDir, prefix: PREFIX });
    const lock = await Deno.open(`${path}/${LOCK}`, { create: true, write: true });
    await lock.tryLock(true);
    return {
      path,
      [Symbol.asyncDispose]: async () => {
        await Deno.remove(path, { recursive: true }).catch((error) =>
          log.warn("what libguestfs has left could not be removed", { path, error })
        );
        lock.close();
      },
    };
  }

  async #clear(): Promise<void> {
    const names = await undefinedIfMissing(Array.fromAsync(Deno.readDir(this.dataDir))) ?? [];
    for (const { name } of names.filter((each) => each.isDirectory && each.name.startsWith(PREFIX))) {
      const path = `${this.dataDir}/${name}`;
      const lock = await Deno.open(`${path}/${LOCK}`, { create: true, write: true });
      try {
        if (await lock.tryLock(true)) await Deno.remove(path, { recursive: true });
      } finally {
        lock.close();
      }
    }
  }
}
