/**
 * Removes the parts special to one guest from the disks of a template, by libguestfs in a small VM without a network:
 * the host's kernel never sees the file systems. guestfish is given commands of ours alone (`lib/template/seal.ts`).
 */
import { ContractError } from "../../lib/contract/mod.ts";
import { type Seal, sealCommands, sealFault } from "../../lib/template/seal.ts";
import { oneLine } from "../../lib/text/text.ts";
import { guestfsMissing, isGuestfsEmulated } from "../guestfs/guestfs.ts";
import { GuestfsSession } from "../guestfs/session.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import type { StoredVersion } from "./records.ts";
import type { GuestfsFolders } from "../guestfs/guestfs.ts";
import { message, type Sentence } from "../../lib/i18n/message.ts";

/** Milliseconds that it may take: it starts a VM, which may be emulated. */
const LIMIT_MS = 900_000;
/** Shows that the file system is written to, and not mounted read-only because it is damaged or hibernated. */
const TRIAL = "/.kvm-manager-seal";
/** Commands after the last one of the seal. */
const ENDING = ["sync", "umount-all", "shutdown"] as const;

const notSealed = (reason: Sentence, cause?: unknown) =>
  new ContractError("TemplateNotSealed", { reason }, { cause });

/** @throws {ContractError} TemplateNotSealed where libguestfs is not installed */
export async function requireSealable(): Promise<void> {
  const missing = await guestfsMissing();
  if (missing !== undefined) throw notSealed(missing);
}

/** Host of the disks, and the working folders of libguestfs. */
export interface SealingHost {
  readonly host: LibvirtHost;
  readonly guestfs: Pick<GuestfsFolders, "make">;
}

/**
 * Seals the disks of a template that is being made.
 *
 * @param disks qcow2 volumes of ours, built on nothing, which no VM has yet
 * @throws {ContractError} TemplateNotSealed, JobCancelled
 */
export async function sealDisks(
  { host: { capabilities }, guestfs }: SealingHost,
  disks: StoredVersion["disks"],
  seals: readonly Seal[],
  job: JobHandle,
): Promise<void> {
  if (seals.length === 0) return;
  if (disks.length === 0) throw notSealed("there are none");
  job.log(message`Removing from the guest: ${seals.join(", ")}`);
  await using folder = await guestfs.make();
  const args = ["--rw", ...disks.flatMap(({ path }) => ["--format=qcow2", "-a", path]), "-i"];
  const isEmulated = await isGuestfsEmulated(capabilities);
  job.signal.throwIfAborted();
  const guestfish = new GuestfsSession({ folder: folder.path, isEmulated, args, failed: notSealed });
  const stop = () => guestfish.end();
  job.signal.addEventListener("abort", stop, { once: true });
  const end = performance.now() + LIMIT_MS;
  try {
    // Its end takes the small VM down, and tells what could not be written then.
    for (const command of [`touch ${TRIAL}`, `rm ${TRIAL}`, ...sealCommands(seals), ...ENDING]) {
      const { errors } = await guestfish.ask(command, end - performance.now());
      const fault = sealFault(errors);
      if (fault !== undefined) throw notSealed(oneLine(fault, 300));
    }
  } catch (error) {
    job.signal.throwIfAborted();
    throw error;
  } finally {
    job.signal.removeEventListener("abort", stop);
    await guestfish[Symbol.asyncDispose]();
  }
}
