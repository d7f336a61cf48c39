/**
 * A lock of one domain between the look at what is stored and the change of it: libvirt has no call for both, and of two
 * KVM Managers that change a domain in one moment one would lose its edit. It is a flock, which ends with the process that
 * has it. Programs that do not ask for it, as virsh, are noticed by what is stored alone.
 */

/**
 * Folders of the locks; the first that can be used counts. Only this user can write there, so that no other user of the
 * host holds a lock.
 */
const FOLDERS = ["/run/kvm-manager-edits", "/run/kvm-manager/edits"] as const;
/** How often a lock that another has is asked for, and milliseconds in between: a change takes a few dozen. */
const TRIES = 200, PAUSE_MS = 10;

const pause = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);

/** The file of a domain's lock in a folder, opened. @throws {Error} where this user can have none there */
function lockIn(folder: string, uuid: string): Deno.FsFile {
  Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = Deno.lstatSync(folder);
  if (uid !== Deno.uid() || ((mode ?? 0o777) & 0o022) !== 0) throw new Error(`${folder} is another user's`);
  return Deno.openSync(`${folder}/${uuid.replace(/[^0-9a-f-]/g, "")}`, { create: true, write: true });
}

/**
 * The file of a domain's lock, opened; undefined where this user can have none, whatever keeps it from that (the service has
 * no /run of its own but one folder): what is stored is compared all the same.
 */
function lockFile(uuid: string): Deno.FsFile | undefined {
  for (const folder of FOLDERS) {
    try {
      return lockIn(folder, uuid);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  }
  return undefined;
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
