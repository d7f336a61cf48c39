/** The volume that a disk had before it moved. */
import type { Output } from "../../lib/contract/mod.ts";
import { messageOf } from "../../lib/text/message.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { isConnectionLost } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import { type FileIdentity, identityAt, isSame } from "../operations/file_identity.ts";
import { t } from "../operations/outcome.ts";
import { keyOf } from "../operations/operation_record.ts";
import { receiptOf } from "./bin/keep.ts";
import { binVolume } from "./bin/volume.ts";
import { deleteVolume } from "./passphrases.ts";
import { refuseUsedVolume } from "./volume_work.ts";
import { findVolumeNamed } from "./volumes.ts";

/** Pool and name of the old volume. */
export interface OldVolume {
  readonly pool: string;
  readonly volume: string;
  readonly path: string;
  /** Its file; null where it is no file of this host. */
  readonly file: FileIdentity | null;
}

/** Outcome for the old volume. */
type Outcome = Partial<Pick<Output<"move_disk">["oldVolume"], "isThere" | "bin" | "reason">>;

/**
 * Takes the old volume away: into the bin, where that can keep it. One that cannot go stays where it is, and why is told.
 *
 * @throws {LibvirtError} when libvirt is away
 */
export async function removeOldVolume(
  host: LibvirtHost,
  { pool, volume: name, path, file }: OldVolume,
  actor: string,
): Promise<Outcome> {
  const { link, operations } = host;
  try {
    await operations.ready([keyOf.volume(pool, name)]);
    using _held = host.locks.take(pool, name);
    const volume = await findVolumeNamed(link, pool, name);
    if (volume === undefined) return { isThere: false };
    const there = file === null ? null : await identityAt(path);
    const isOther = volume.path !== path || (file !== null && (there === null || !isSame(file, there)));
    if (isOther) return { reason: t("operations.is_other") };
    await refuseUsedVolume(host, volume);
    const entry = await binVolume(host, volume, actor);
    if (entry !== undefined) return { isThere: false, bin: receiptOf(entry) };
    await deleteVolume(host, path);
    return { isThere: false };
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    log.warn("the old volume of a disk that was moved stays where it is", { pool, name, error });
    return { reason: messageOf(error) };
  }
}
