/** Volumes and files as steps: made, replaced, deleted with their VM. */
import { render } from "../../lib/i18n/message.ts";
import { plainPath } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { undefinedIfMissing } from "../machine/files.ts";
import { log } from "../log.ts";
import { splitPath } from "../../lib/bin/place.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import { endWriters } from "./image_writers.ts";
import { exactUsers } from "./exact_users.ts";
import { VolumeUsage } from "./volume_usage.ts";
import { deleteVolume } from "./passphrases.ts";
import { findVolumeAt, findVolumeNamed, keepsFiles, type PoolVolume } from "./volumes.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { MadeFile } from "../hosts/left_files.ts";
import { type FileIdentity, identityAt, isMadeBy, isSame } from "../operations/file_identity.ts";
import type { Noted, Steps } from "../operations/operation.ts";
import { left, NOTHING, removed, type StepOutcome, t, Unsettled } from "../operations/outcome.ts";
import type { Settlement, StepRule, StepRules } from "../operations/settlement.ts";
import type { VolumeMade } from "../operations/step.ts";

/** Milliseconds between two looks for the file of a volume that is being made. */
const LOOK_MS = 200;
/** Milliseconds that QEMU may have a volume open which no definition names: libvirt still works at what was cut short. */
const OPEN_MS = 30_000;

type Link = Pick<LibvirtHost["link"], "call" | "machine">;

const isLibvirts = (error: unknown): error is LibvirtError =>
  error instanceof LibvirtError && error.kind === "libvirt";

/** Path of a new volume, if that is a file of this host. */
export async function volumePlace(link: Link, pool: string, name: string): Promise<string | null> {
  if (link.machine === null || !await keepsFiles(link, pool)) return null;
  const { path } = describePool(await link.call("poolXml", { pool }));
  return path === undefined ? null : `${path}/${name}`;
}

/**
 * Makes a volume as a step that was written down before.
 *
 * @param onNoted gets the step, of which more may be known later
 * @throws {LibvirtError} code STORAGE_VOL_EXIST when the name is taken, be it by a file that its pool has not seen yet
 */
export async function makeVolume(
  link: Link,
  steps: Steps,
  { pool, name }: { readonly pool: string; readonly name: string },
  make: () => Promise<PoolVolume>,
  onNoted?: (noted: Noted<VolumeMade>) => void,
): Promise<PoolVolume> {
  const path = await volumePlace(link, pool, name);
  const isTaken = await findVolumeNamed(link, pool, name) !== undefined ||
    (path !== null && await undefinedIfMissing(hostFiles.lstat(plainPath(path))) !== undefined);
  if (isTaken) {
    const message = `storage volume name '${name}' already in use`;
    throw new LibvirtError({ kind: "libvirt", code: VIR_ERR.STORAGE_VOL_EXIST, message });
  }
  const noted = steps.add<VolumeMade>({ kind: "volume-made", pool, name, path, file: null, at: Date.now() });
  onNoted?.(noted);
  using _watch = path === null ? undefined : noteWhenThere(path, noted);
  try {
    const made = await make();
    noted.know({ path: made.path, file: await fileOf(link, made.path) });
    return made;
  } catch (error) {
    if (error instanceof LibvirtError && error.code === VIR_ERR.STORAGE_VOL_EXIST) noted.drop();
    throw error;
  }
}

/** Writes down which file it is as soon as it is there: it may be long until it is whole. */
function noteWhenThere(path: string, noted: Noted<VolumeMade>): Disposable {
  const look = async () => {
    const file = await identityAt(path);
    if (file === null) return;
    clearInterval(timer);
    noted.know({ file }, true);
  };
  const timer = setInterval(() => {
    look().catch((error) => log.debug("a new file cannot be looked at", { path, error }));
  }, LOOK_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** The file at a path, where that is one of this host. */
export const fileOf = (link: Pick<Link, "machine">, path: string): Promise<FileIdentity | null> =>
  link.machine !== null ? identityAt(path) : Promise.resolve(null);

/** The parts of a settlement that a step is checked with here. */
type SettledHere = Pick<Settlement, "vms" | "operation">;

/**
 * User of the file at a path. After an interrupted operation it is searched exactly: anything may have
 * happened since.
 *
 * @throws {ContractError} StorageUnknown when the images cannot be read in time
 */
export async function userOf(
  { vms, operation }: SettledHere,
  { pool, name, path }: { pool: string; name: string; path: string },
): Promise<string | undefined> {
  const volume = { pool, name, path, type: "file", capacity: 0, allocation: 0 } as PoolVolume;
  if (operation.cut === undefined) return (await VolumeUsage.read(vms, [volume])).of(volume)[0]?.name;
  const use = await (await exactUsers(vms))(volume);
  return use && render(use.user);
}

/** Has the pool look again, as far as it can: what a program made in it, it has not seen. */
async function refreshed(link: Link, pool: string): Promise<void> {
  await link.call("poolRefresh", { pool }).catch((error) => {
    if (!isLibvirts(error)) throw error;
    log.debug("a pool could not be refreshed", { pool, error }); // it is off, gone, or something is made in it
  });
}

/** Deletes what is at a path; a file of this host also where no pool knows it. @throws {Unsettled} */
async function removeAt(host: LibvirtHost, path: string): Promise<void> {
  const { link } = host;
  if (link.machine !== null) await link.machine.files.requireResponding(path);
  try {
    return await deleteVolume(host, path);
  } catch (error) {
    if (!isLibvirts(error)) throw error;
    // It is still being made, or its stream is just closing.
    if (error.code !== VIR_ERR.NO_STORAGE_VOL) throw new Unsettled(error.message, { cause: error });
  }
  if (link.machine !== null) await undefinedIfMissing(link.machine.files.remove(plainPath(path)));
}

/** Outcome for a file that a VM has by now: it stays. A VM that is the operation's own subject is not named. */
function kept(path: string, user: string, { operation: { subject } }: SettledHere): StepOutcome {
  if (user === subject) return { did: "kept" };
  return { ...left(path, t("operations.is_used", { name: user })), did: "kept" };
}

/** Takes a file of this host away, if it is the one that was made, and no VM has it. */
async function removeFile(at: Settlement, step: MadeFile): Promise<StepOutcome> {
  const { path } = step, isCut = at.operation.cut !== undefined;
  if (isCut && !await endWriters(path)) throw new Unsettled(t("operations.copy_runs", { path }));
  const stays = await whyItStays(at, step);
  if (stays !== undefined) return stays;
  if (isCut) return await removeLocked(at, step);
  await removeAt(at.vms, path);
  return removed(path);
}

/** Outcome of a step whose file is gone, is another one by now, or is in use; undefined if it can be deleted. */
async function whyItStays(at: SettledHere, step: MadeFile): Promise<StepOutcome | undefined> {
  const { pool, path } = step, info = await undefinedIfMissing(hostFiles.lstat(plainPath(path)));
  if (info === undefined) {
    await refreshed(at.vms.link, pool);
    return await isMissing(path) || await isOff(at.vms.link, pool)
      ? left(path, t("operations.is_away"))
      : NOTHING;
  }
  if (!info.isFile || !isMadeBy(info, step, at.operation)) return left(path, t("operations.is_other"));
  const user = await userOf(at, step);
  return user === undefined ? undefined : kept(path, user, at);
}

/**
 * Takes a file away that no VM has had so far. libvirt may still carry out what was cut short, so a VM may be about to go
 * over to it: while it is locked, none does, and what is true then stays so.
 */
async function removeLocked(at: Settlement, step: MadeFile): Promise<StepOutcome> {
  const { link } = at.vms, { pool, path } = step;
  // A guest that was frozen was so for a snapshot, which libvirt may yet take
  const mayBeTaken = at.operation.steps.some(({ kind }) => kind === "guest-frozen");
  for (const until = performance.now() + OPEN_MS;;) {
    using lock = await hostFiles.lockImage(path);
    const stays = await whyItStays(at, step);
    if (stays !== undefined) return stays;
    if (lock.state === "unknown" && mayBeTaken) return left(path, t("operations.is_unlockable"));
    if (lock.state !== "open") {
      await refreshed(link, pool);
      await removeAt(at.vms, path);
      lock.keep();
      return removed(path);
    }
    if (performance.now() >= until) {
      const goesLater = await at.vms.unusedOverlays?.keep(at.operation, step);
      return left(path, t(goesLater ? "operations.is_open_until_off" : "operations.is_open"));
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/**
 * Deletes a file that stayed because a program had it open, as {@link removeLocked} does, and only where
 * nothing was written to it.
 *
 * @returns `in-use`: a program may have it open; `has-data`: it may have data
 * @throws {ContractError} StorageUnknown @throws errors of `isEmpty`
 */
export async function removeUnused(
  at: SettledHere,
  step: MadeFile,
  isEmpty: () => Promise<boolean>,
): Promise<StepOutcome | "in-use" | "has-data"> {
  const { link, inventory } = at.vms, { pool, name, path } = step;
  using lock = await hostFiles.lockImage(path);
  const stays = await whyItStays(at, step);
  if (stays !== undefined) return stays;
  if (lock.state !== "taken") return "in-use";
  if (!await isEmpty()) return "has-data";
  await refreshed(link, pool);
  await removeAt(at.vms, path);
  lock.keep();
  inventory.storage.remove(pool, name);
  return removed(path);
}

/** Whether what has come of a disk is worth keeping: it was cut, and was not cancelled. */
const mayGoOn = ({ arriving }: VolumeMade, { operation: { cut } }: SettledHere): boolean =>
  arriving !== undefined && arriving.received > 0 && (cut !== undefined || arriving.isBroken === true);

/** Takes back a volume that was made, or was being made. */
const volumeMade: StepRule<"volume-made"> = {
  undo: async (step, at) => {
    const { link, inventory } = at.vms;
    const { pool, name, path } = step;
    if (path !== null && link.machine !== null && await keepsFilesStill(link, pool)) {
      if (mayGoOn(step, at) && await at.vms.keptParts?.keep(at.operation, { ...step, path })) {
        return left(path, t("operations.goes_on"));
      }
      const outcome = await removeFile(at, { ...step, path });
      if (outcome.did === "done" || outcome.did === "nothing") inventory.storage.remove(pool, name);
      if (outcome.did === "kept") await readAnew(at);
      return outcome;
    }
    const volume = await findVolumeNamed(link, pool, name);
    if (volume === undefined) {
      if (await isOff(link, pool)) throw new Unsettled(t("operations.pool_off", { pool }));
      return NOTHING;
    }
    if (path !== null && volume.path !== path) return left(volume.path, t("operations.is_other"));
    const user = await userOf(at, volume);
    if (user !== undefined) return kept(volume.path, user, at);
    await removeAt(at.vms, volume.path);
    return removed(`${pool}/${name}`);
  },
};

/** Reads the VM of an operation again: libvirt sends no event for a disk that a snapshot has changed. */
async function readAnew({ vms, operation: { vmId } }: Settlement): Promise<void> {
  const vm = vmId === undefined ? undefined : vms.inventory.vm(vmId);
  if (vm !== undefined) await vms.reread(vm);
}

/** Whether a pool keeps files; one that is gone did, where a path of this host was noted. */
async function keepsFilesStill(link: Link, pool: string): Promise<boolean> {
  try {
    return await keepsFiles(link, pool);
  } catch (error) {
    if (isLibvirts(error) && error.code === VIR_ERR.NO_STORAGE_POOL) return true;
    throw error;
  }
}

/** Whether the folder of a file is not there: what was in it may come back with it. */
const isMissing = async (path: string) =>
  await undefinedIfMissing(hostFiles.stat(plainPath(splitPath(path).folder))) === undefined;

/** Whether a pool is there and stopped, so that its content is not known. */
async function isOff(link: Link, pool: string): Promise<boolean> {
  return (await link.call("poolRead", { pool }))?.volumes === null;
}

/** Takes back a file that was made without libvirt. */
const fileMade: StepRule<"file-made"> = {
  undo: async (step, { operation }) => {
    const info = await undefinedIfMissing(hostFiles.lstat(plainPath(step.path)));
    if (info === undefined) return NOTHING;
    if (!info.isFile || !isMadeBy(info, step, operation)) return left(step.path, t("operations.is_other"));
    await undefinedIfMissing(hostFiles.remove(plainPath(step.path)));
    return removed(step.path);
  },
};

/** Takes back a folder that was made without libvirt, with what is in it. */
const folderMade: StepRule<"folder-made"> = {
  undo: async (step, { operation }) => {
    const path = plainPath(step.path), info = await undefinedIfMissing(hostFiles.lstat(path));
    if (info === undefined) return NOTHING;
    if (!info.isDirectory || !isMadeBy(info, step, operation)) {
      return left(step.path, t("operations.is_other"));
    }
    await undefinedIfMissing(hostFiles.remove(path, { recursive: true }));
    return removed(step.path);
  },
};

/** Takes back the passphrase of a volume that was not made. */
const secretMade: StepRule<"secret-made"> = {
  undo: async ({ uuid, path }, { vms: { link } }) => {
    if (await link.call("secretOfVolume", { path }) !== uuid) return NOTHING;
    await link.call("secretForget", { path });
    return NOTHING;
  },
};

/** Deletes what is at a path and is the file that was meant, unless a VM needs it. */
export async function deleteIfSameFile(
  at: Settlement,
  { path, file }: { readonly path: string; readonly file: FileIdentity | null },
): Promise<StepOutcome> {
  const { link } = at.vms;
  const volume = await findVolumeAt(link, path);
  if (link.machine !== null) {
    const info = await undefinedIfMissing(link.machine.files.lstat(plainPath(path)));
    if (info === undefined) return NOTHING;
    if (file !== null && !isSame(file, { dev: info.dev, ino: Number(info.ino) })) {
      return left(path, t("operations.is_other"));
    }
    // A device that no pool made is the host's own.
    if (!info.isFile && volume === undefined) return left(path, t("operations.is_other"));
  } else if (volume === undefined) return NOTHING;
  const user = await userOf(at, volume ?? { pool: "", name: "", path });
  if (user !== undefined) return left(path, t("operations.is_used", { name: user }));
  await removeAt(at.vms, path);
  return removed(path);
}

/** Goes on deleting the disks of a VM that is gone. */
const diskDoomed: StepRule<"disk-doomed"> = {
  finish: async (step, at) => {
    const outcome = await deleteIfSameFile(at, step);
    const isThere = at.vms.link.machine === null || outcome.did !== "nothing" || !await isMissing(step.path);
    return isThere ? outcome : left(step.path, t("operations.is_away"));
  },
};

/** Deletes a volume whose place another one has taken. A VM that still has it keeps it. */
const volumeReplaced: StepRule<"volume-replaced"> = {
  undo: async (step, at) => {
    const outcome = await deleteIfSameFile(at, step);
    return outcome.did === "left" ? NOTHING : outcome;
  },
};

/** How the steps of volumes and files are settled. */
export const volumeSteps = {
  "volume-made": volumeMade,
  "file-made": fileMade,
  "folder-made": folderMade,
  "secret-made": secretMade,
  "disk-doomed": diskDoomed,
  "volume-replaced": volumeReplaced,
} satisfies Partial<StepRules>;
