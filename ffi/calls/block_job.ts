/** Calls on the block jobs of running domains: images of a disk's chain are merged, or copied, while the guest goes on. */
import type { Connection } from "../connection.ts";
import { LibvirtError, VIR_ERR } from "../error.ts";
import { libvirt, ok } from "../library.ts";
import { cString } from "../memory.ts";

/** `VIR_DOMAIN_BLOCK_COMMIT_ACTIVE`: what the guest writes to is merged. */
const COMMIT_ACTIVE = 4;
/**
 * `virDomainBlockCopyFlags`. TRANSIENT_JOB: libvirt copies the disks of a stored domain with it alone (tried with 9.0: "domain
 * is not transient"), and saves or migrates no domain meanwhile. SYNCHRONOUS_WRITES (libvirt 8.0): what the guest writes is in
 * both images before it is told so, and a copy of a disk that is written to faster than it is copied comes to its end.
 */
const COPY = { REUSE_EXT: 2, TRANSIENT_JOB: 4, SYNCHRONOUS_WRITES: 8 } as const;
/** Error codes of a libvirt or QEMU that does not have a flag. */
const NO_SUCH_FLAG: readonly number[] = [
  VIR_ERR.INVALID_ARG,
  VIR_ERR.ARGUMENT_UNSUPPORTED,
  VIR_ERR.CONFIG_UNSUPPORTED,
  VIR_ERR.OPERATION_UNSUPPORTED,
];
/** `VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT` */

const ABORT_PIVOT = 2;
/** `virDomainBlockJobInfo`: int type @0, unsigned long bandwidth @8, cur @16, end @24. */
const INFO_BYTES = 32;
/** `virDomainBlockJobType` */
const TYPES = { 2: "copy", 3: "commit", 4: "active-commit" } as const;

/** A block job that is under way. */
export interface BlockJob {
  readonly type: "copy" | "commit" | "active-commit" | "other";
  /** Bytes, as QEMU counts them: they may grow while the guest writes. */
  readonly done: number;
  readonly total: number;
}

/**
 * Begins to merge `top`, and what is between, into `base`; QEMU goes on by itself.
 *
 * @param top null for the image that the guest writes to: it is merged until {@link blockJobPivot}
 */
export function blockCommit(
  connection: Connection,
  { uuid, target, base, top }: { uuid: string; target: string; base: string; top: string | null },
): null {
  using domain = connection.domain(uuid);
  const above = top === null ? null : cString(top);
  ok(
    libvirt().symbols.virDomainBlockCommit(
      domain.pointer,
      cString(target),
      cString(base),
      above,
      0n,
      top === null ? COMMIT_ACTIVE : 0,
    ),
  );
  return null;
}

/**
 * Begins to copy what a guest sees of a disk, with what it is built on, into an image that is there already and as large;
 * QEMU goes on by itself. The copy follows what is written until {@link blockJobPivot} or {@link blockJobAbort}.
 * Source: virDomainBlockCopy.
 *
 * @param xml the image, as a `<disk>`
 */
export function blockCopy(
  connection: Connection,
  { uuid, target, xml }: { uuid: string; target: string; xml: string },
): null {
  using domain = connection.domain(uuid);
  const copy = (flags: number) =>
    ok(libvirt().symbols.virDomainBlockCopy(domain.pointer, cString(target), cString(xml), null, 0, flags));
  const flags = COPY.REUSE_EXT | COPY.TRANSIENT_JOB;
  try {
    copy(flags | COPY.SYNCHRONOUS_WRITES);
  } catch (error) {
    if (!(error instanceof LibvirtError) || !NO_SUCH_FLAG.includes(error.code)) throw error;
    copy(flags);
  }
  return null;
}

/** The block job of a disk; null where none is under way. Source: virDomainGetBlockJobInfo. */
export function blockJobNow(
  connection: Connection,
  { uuid, target }: { uuid: string; target: string },
): BlockJob | null {
  using domain = connection.domain(uuid);
  const info = new DataView(new ArrayBuffer(INFO_BYTES));
  const bytes = new Uint8Array(info.buffer);
  if (ok(libvirt().symbols.virDomainGetBlockJobInfo(domain.pointer, cString(target), bytes, 0)) === 0) {
    return null;
  }
  const type = TYPES[info.getInt32(0, true) as keyof typeof TYPES] ?? "other";
  return { type, done: Number(info.getBigUint64(16, true)), total: Number(info.getBigUint64(24, true)) };
}

/**
 * Has the guest write to the image below, or to the copy, from now on, once that holds everything.
 *
 * @returns whether it does; false where QEMU still copies
 */
export function blockJobPivot(
  connection: Connection,
  { uuid, target }: { uuid: string; target: string },
): boolean {
  using domain = connection.domain(uuid);
  try {
    ok(libvirt().symbols.virDomainBlockJobAbort(domain.pointer, cString(target), ABORT_PIVOT));
    return true;
  } catch (error) {
    if (error instanceof LibvirtError && error.code === VIR_ERR.BLOCK_COPY_ACTIVE) return false;
    throw error;
  }
}

/** Ends a block job: the guest goes on with the images that it has. */
export function blockJobAbort(
  connection: Connection,
  { uuid, target }: { uuid: string; target: string },
): null {
  using domain = connection.domain(uuid);
  ok(libvirt().symbols.virDomainBlockJobAbort(domain.pointer, cString(target), 0));
  return null;
}
