/**
 * A lock of one domain between the look at what is stored and the change of it: libvirt has no call for both, and of two
 * KVM Managers that change a domain in one moment one would lose its edit. It is a flock, which ends with the process that
 * has it. Programs that do not ask for it, as virsh, are noticed by what is stored alone.
 */

/** Where the locks are: root's alone, so that no user of the host holds one. */
const FOLDER = "/run/kvm-manager-edits";
/** How often a lock that another has is asked for, and milliseconds in between: a change takes a few dozen. */
const TRIES = 200, PAUSE_MS = 10;

const pause = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);

/** The file of a domain's lock, opened; undefined where this user may have none. */
function lockFile(uuid: string): Deno.FsFile | undefined {
  try {
    Deno.mkdirSync(FOLDER, { recursive: true, mode: 0o700 });
    const { uid, mode } = Deno.lstatSync(FOLDER);
    if (uid !== Deno.uid() || ((mode ?? 0o777) & 0o022) !== 0) return undefined;
    return Deno.openSync(`${FOLDER}/${uuid.replace(/[^0-9a-f-]/g, "")}`, { create: true, write: true });
  } catch (error) {
    const isDenied = error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable;
    if (isDenied || error instanceof Deno.errors.NotADirectory || error instanceof Deno.errors.NotFound) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Does something to a domain while no other KVM Manager of this host does. One that holds the lock for seconds hangs in
 * libvirt, and is not waited for any longer. Blocks the thread: it is a worker's.
 */
export function whileNobodyEdits<T>(uuid: string, work: () => T): T {
  using file = lockFile(uuid);
  for (let tries = 1; file !== undefined && !file.tryLockSync(true) && tries < TRIES; tries++) pause();
  return work();
}
