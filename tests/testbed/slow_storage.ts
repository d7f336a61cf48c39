/** Storage that stops answering: a FUSE file system whose server is halted, which is what a hanging NFS server looks like. */
import { freeze, thaw } from "./pid.ts";
import { ensurePackages } from "./packages.ts";
import { exists, run } from "./process.ts";
import { Unavailable } from "./unavailable.ts";

/** Milliseconds that its server has to end. */
const GRACE_MS = 2000;

/** A folder that can hang. */
export interface SlowStorage extends AsyncDisposable {
  /** Path that it is mounted at. */
  readonly path: string;
  /** Folder behind it, reachable at all times. */
  readonly behind: string;
  /** Makes every access wait. Disposing of what is given lets them go on. */
  hang(): Promise<AsyncDisposable>;
}

/** Makes sure there can be one. @throws {Unavailable} */
export async function ensureSlowStorage(): Promise<void> {
  if (Deno.uid() !== 0) throw new Unavailable("only root may mount");
  if (!await exists("/dev/fuse")) throw new Unavailable("this kernel has no FUSE");
  await ensurePackages("bindfs");
}

/** Options of {@link slowStorage}. */
export interface SlowStorageOptions {
  /** An empty folder to mount it on; one below its own folder when left out. */
  readonly path?: string;
  /** Megabytes it takes in a second at most. */
  readonly writeRate?: number;
}

/** Mounts one, with what is behind it below a folder. */
export async function slowStorage(
  folder: string,
  { path = `${folder}/mounted`, writeRate }: SlowStorageOptions = {},
): Promise<SlowStorage> {
  const behind = `${folder}/behind`;
  for (const each of [path, behind]) await Deno.mkdir(each, { recursive: true });
  const child = new Deno.Command("bindfs", {
    // Nothing is kept: what is asked is asked of the server.
    args: [
      ...["-f", "-o", "attr_timeout=0,entry_timeout=0,negative_timeout=0"],
      ...(writeRate === undefined ? [] : [`--write-rate=${writeRate}M`]),
      ...[behind, path],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const isMounted = async () => (await Deno.readTextFile("/proc/self/mounts")).includes(` ${path} fuse`);
  for (let tries = 0; !await isMounted(); tries++) {
    if (tries > 100) throw new Unavailable("bindfs does not mount here");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    path,
    behind,
    hang: async () => {
      await freeze(child.pid);
      return { [Symbol.asyncDispose]: () => thaw(child.pid) };
    },
    [Symbol.asyncDispose]: async () => {
      await thaw(child.pid);
      await run(["umount", "--lazy", path]);
      // It ends once it is mounted nowhere; namespaces that other tests have made meanwhile have it, too
      const timer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
      await child.status;
      clearTimeout(timer);
    },
  };
}
