/** A new volume that is filled from a stream: looked at before a byte is written, counted, kept within bounds. */
import { Transfer } from "../../../ffi/transfers.ts";
import { LibvirtError } from "../../../ffi/error.ts";
import { ContractError, type ImagePolicy } from "../../../lib/contract/mod.ts";
import { contentKind } from "../../../lib/formats/content_kind.ts";
import { contentWarning } from "../../../lib/image/content_warning.ts";
import { HEAD_BYTES, readImageHead } from "../../../lib/formats/qcow2/head.ts";
import { describePool } from "../../../lib/formats/xml/pool.ts";
import type { JobHandle } from "../../jobs/jobs.ts";
import { ChunkWriter } from "../chunk_writer.ts";
import { isConnectionLost } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import type { Operation } from "../../operations/operation.ts";
import { makeVolume } from "../volume_steps.ts";
import { noRoom } from "../shared.ts";
import { makeRoomFor } from "../volume_checks.ts";
import { spaceKnown } from "../pool_space.ts";
import { createVolume, removeVolume } from "../volumes.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { canConvert, isToConvert, requireConvertible } from "../arrived_disk.ts";
import { GIB, MIB } from "../../../lib/text/byte_units.ts";
import { message } from "../../../lib/i18n/message.ts";

/** Bytes written at a time. */
const PIECE = 256 * 1024;
/** Bytes between two looks at the free space. */
const LOOK_BYTES = 64 * MIB;
/** How much more than it was packed something may become, and from which size on that is looked at. */
const MOST_EXPANSION = 250, EXPANSION_FROM = 256 * MIB;
/** Tries to remove a volume whose stream is just closing, and milliseconds between them. */
const REMOVE_TRIES = 6, REMOVE_MS = 500;

/** Target of an image, and its limits. */
export interface SinkSpec {
  readonly pool: string;
  readonly name: string;
  readonly policy: ImagePolicy;
  /** Whether a web page is refused: a server may answer one in place of an image. */
  readonly refusesPages: boolean;
}

/** Bytes that are free on a pool's file system, now; undefined where only libvirt can tell. */
async function freeNow({ link, inventory }: LibvirtHost, pool: string): Promise<number | undefined> {
  const { path } = describePool(inventory.storage.record(pool)?.xml ?? "<pool/>");
  if (link.machine === null || path === undefined || !inventory.storage.isMeasured(pool)) return undefined;
  const { bavail, bsize } = await link.machine.files.statfs(path);
  return Number(bavail) * Number(bsize);
}

/**
 * Whether a file of that size may come, and has room.
 *
 * @param size null when it is not known
 * @throws {ContractError} ImageTooLarge, DiskExceedsPool
 */
export async function requireFits(
  host: LibvirtHost,
  { pool, policy }: SinkSpec,
  size: number | null,
): Promise<void> {
  const most = policy.maxImageGb * GIB;
  if (size !== null && size > most) {
    const reason = `it has ${size} bytes, allowed are ${policy.maxImageGb} GiB`;
    throw new ContractError("ImageTooLarge", { reason });
  }
  const free = async () => await freeNow(host, pool) ?? spaceKnown(host, pool)?.available ?? Infinity;
  const needed = size ?? 1;
  // What is in the bin makes room, as for whatever else is made.
  if (needed > await free()) await makeRoomFor(host, pool, needed);
  const left = await free();
  if (needed > left) throw noRoom(needed, left);
}

/** The volume that is filled. */
export class Sink {
  readonly #host: LibvirtHost;
  readonly #operation: Operation;
  readonly #spec: SinkSpec;
  readonly path: string;
  #isConverted = false;

  private constructor(host: LibvirtHost, operation: Operation, spec: SinkSpec, path: string) {
    this.#host = host;
    this.#operation = operation;
    this.#spec = spec;
    this.path = path;
  }

  /** Whether what comes is a disk of another hypervisor: once it is whole, it is judged and becomes an image. */
  get isConverted(): boolean {
    return this.#isConverted;
  }

  /**
   * Makes the volume, as a step of an operation that is ended by `keep()` or `remove()`.
   *
   * @throws {LibvirtError} with nothing left of it, now or as soon as libvirt answers
   */
  static async create(
    host: LibvirtHost,
    operation: Operation,
    spec: SinkSpec,
    size: number | null,
  ): Promise<Sink> {
    const { link, operations } = host;
    const { pool, name } = spec;
    const volume = {
      name,
      // How large it becomes is known at its end where it is unpacked: a file grows.
      capacity: Math.max(1, size ?? 1),
      allocation: 0,
      format: "raw",
    };
    try {
      const { path } = await makeVolume(
        link,
        operation,
        { pool, name },
        () => createVolume(link, pool, volume),
      );
      return new Sink(host, operation, spec, path);
    } catch (error) {
      await operations.failed(operation, error);
      throw error;
    }
  }

  /**
   * Writes a stream into the volume.
   *
   * @param received bytes that came over the network so far
   * @throws {ContractError} DiskRefused, ImageTooLarge, DiskExceedsPool, VolumeExists @throws {LibvirtError}
   * @throws errors of the stream
   */
  async fill(
    content: AsyncIterable<Uint8Array>,
    { job, received, isPacked }: { job: JobHandle; received: () => number; isPacked: boolean },
  ): Promise<number> {
    const { policy, pool } = this.#spec;
    const most = policy.maxImageGb * GIB;
    let written = 0, looked = 0;
    await using transfer = await Transfer.open(this.#host.link.address, {
      direction: "upload",
      ...this.#host.link.placeOf(this.path),
      offset: 0,
      length: 0,
    }, this.#host.link.gate);
    const filler = new ChunkWriter([transfer]);
    for await (const bytes of inPieces(content, (head) => this.#judge(head, job))) {
      job.signal.throwIfAborted();
      written += bytes.length;
      if (written > most) {
        const reason = `it has more than the ${policy.maxImageGb} GiB that are allowed`;
        throw new ContractError("ImageTooLarge", { reason });
      }
      if (isPacked && written > EXPANSION_FROM && written > received() * MOST_EXPANSION) {
        const reason = `it unpacks to more than ${MOST_EXPANSION} times its size`;
        throw new ContractError("ImageTooLarge", { reason });
      }
      if (written - looked >= LOOK_BYTES) {
        looked = written;
        const free = await freeNow(this.#host, pool);
        if (free !== undefined && free < LOOK_BYTES) throw noRoom(LOOK_BYTES, free);
      }
      await filler.put(bytes);
    }
    await filler.flush();
    await transfer.finish();
    return written;
  }

  /** @throws {ContractError} DiskRefused, ImageTooLarge, VolumeExists */
  async #judge(head: Uint8Array, job: JobHandle): Promise<void> {
    const { pool, name, policy } = this.#spec;
    if (isToConvert(head) && await canConvert(this.#host, pool)) {
      await requireConvertible(this.#host, pool, name);
      this.#isConverted = true;
      return;
    }
    const { format, refusal, virtualSize } = readImageHead(head);
    if (refusal !== null) {
      if (!policy.linkedImages) {
        throw new ContractError("DiskRefused", { path: `${pool}/${name}`, reason: refusal });
      }
      job.log(message`Kept because the rules for downloads say so: ${refusal}`);
    } else job.log(message`It is ${format === "iso" ? "a CD image" : `a ${format} image`}`);
    const content = contentKind(head), place = `${pool}/${name}`;
    if (content.kind === "page" && this.#spec.refusesPages) {
      const reason =
        "it is a web page or an error message, not an image: open its address in a browser to see what it says";
      throw new ContractError("DiskRefused", { path: place, reason });
    }
    const doubt = contentWarning("", content, place);
    if (doubt !== undefined) job.log(doubt.message);
    if (virtualSize !== undefined && virtualSize > BigInt(policy.maxVirtualGb) * BigInt(GIB)) {
      const reason = `a guest would see ${virtualSize / BigInt(GIB)} GiB, allowed are ${policy.maxVirtualGb}`;
      throw new ContractError("ImageTooLarge", { reason });
    }
  }

  /** It is whole: it is no longer removed as something unfinished. */
  keep(): void {
    this.#host.operations.end(this.#operation);
  }

  /** Removes the volume, now or as soon as libvirt lets go of it. Never throws. */
  async remove(): Promise<void> {
    const { link, operations, inventory } = this.#host;
    try {
      await this.#delete(link);
    } catch (error) {
      log.warn("an unfinished image cannot be removed yet", { path: this.path, error });
      return await operations.failed(this.#operation, error);
    }
    operations.end(this.#operation);
    inventory.storage.remove(this.#spec.pool, this.#spec.name);
  }

  async #delete(link: LibvirtHost["link"]): Promise<void> {
    for (let tries = 1;; tries++) {
      try {
        return await removeVolume(link, this.path);
      } catch (error) {
        if (!(error instanceof LibvirtError) || isConnectionLost(error) || tries === REMOVE_TRIES) {
          throw error;
        }
        // Its stream may just be closing: libvirt gives the volume free a moment later.
        await new Promise((resolve) => setTimeout(resolve, REMOVE_MS));
      }
    }
  }
}

/** The same bytes in larger pieces; `judge` sees the first of them before any is given on. */
async function* inPieces(
  content: AsyncIterable<Uint8Array>,
  judge: (head: Uint8Array) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(PIECE);
  let length = 0, isJudged = false;
  const look = async () => {
    if (isJudged) return;
    isJudged = true;
    await judge(buffer.subarray(0, Math.min(length, HEAD_BYTES)));
  };
  for await (const piece of content) {
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + PIECE - length);
      buffer.set(part, length);
      length += part.length;
      at += part.length;
      if (length < PIECE) continue;
      await look();
      // Whoever takes it copies it before the next is asked for.
      yield buffer;
      length = 0;
    }
  }
  await look();
  if (length > 0) yield buffer.subarray(0, length);
}
