/** Uploads of volumes: from the body of a request through libvirt's stream into a new volume, a piece at a time. */
import { Transfer } from "../../ffi/transfers.ts";
import { LibvirtError } from "../../ffi/error.ts";
import { ContractError, type Input, type Output } from "../../lib/contract/mod.ts";
import { HEAD_BYTES, ImageError, looksLikeQcow2, readQcow2Header } from "../../lib/image/qcow2_header.ts";
import type { Arriving, CallContext } from "../dispatch.ts";
import type { OpenJob } from "../jobs/jobs.ts";
import { contractError } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import type { VmServices } from "../vm/services.ts";
import { Checksum } from "./checksum.ts";
import { Filler } from "./filler.ts";
import { release } from "./release.ts";
import { noRoom, requireActive, take } from "./shared.ts";
import { createVolume, deleteVolume, volumeNamed } from "./volumes.ts";

/** Milliseconds in which something of a body must arrive, and between two looks whether it has. */
const STALL_MS = 60_000, LOOK_MS = 5000;
/** Milliseconds in which the rest of a body that was refused is read. */
const DRAIN_MS = 2000;
/** Milliseconds an upload that broke off is kept. */
const KEPT_MS = 3_600_000;

/** A volume that is being filled, or waits for the rest. */
interface Partial {
  readonly pool: string;
  readonly name: string;
  readonly path: string;
  readonly size: number;
  received: number;
  /** Of what has arrived, also while it waits for the rest. */
  checksum: Checksum | undefined;
  /** The start of the content, until it was looked at. */
  head: Uint8Array | undefined;
  isRunning: boolean;
  expiry: ReturnType<typeof setTimeout> | undefined;
}

/** A description of a VMDK in text names the files that hold its data. */
const VMDK_TEXT = new TextEncoder().encode("# Disk DescriptorFile");

/** @throws {ContractError} DiskRefused: the image would have QEMU open other files (CVE-2024-32498, CVE-2022-47951) */
function requireSelfContained(place: string, head: Uint8Array): void {
  const refuse = (reason: string) => new ContractError("DiskRefused", { path: place, reason });
  if (VMDK_TEXT.every((byte, index) => head[index] === byte)) {
    throw refuse("it is a VMDK description that names other files");
  }
  if (!looksLikeQcow2(head)) return;
  try {
    const { backingFile, externalData } = readQcow2Header(head);
    if (backingFile !== undefined) throw refuse("it is built on another image. Flatten it: qemu-img convert");
    if (externalData) throw refuse("its data lies in another file");
  } catch (error) {
    if (error instanceof ImageError) throw refuse(error.message);
    throw error;
  }
}

export class Uploads {
  readonly #services: VmServices;
  readonly #partials = new Map<string, Partial>();

  constructor(services: VmServices) {
    this.#services = services;
  }

  /** How far an upload that broke off had come. @throws {ContractError} UploadNotFound */
  state({ pool, name }: Input<"get_upload">): Output<"get_upload"> {
    const partial = this.#partials.get(`${pool}/${name}`);
    if (partial === undefined) throw new ContractError("UploadNotFound", { pool, name });
    return { offset: partial.received, size: partial.size };
  }

  /** Takes a file in, or the rest of one. @throws {ContractError} */
  async take(
    input: Input<"upload_volume">,
    { principal, content }: CallContext,
  ): Promise<Output<"upload_volume">> {
    const { pool, name, size, offset = 0 } = input;
    if (!content?.body || size === undefined) throw new ContractError("ContentExpected");
    const { body } = content;
    try {
      const partial = await this.#place(pool, name, size, offset);
      const job = await this.#services.jobs.open({
        command: "upload_volume",
        title: `Upload ${name} to ${pool}`,
        actor: principal.name,
        subject: `${pool}/${name}`,
        ifInterrupted: `Delete the unfinished volume ${name} from the pool ${pool}, then upload it again.`,
      });
      using _taken = take(pool, name);
      return await this.#carryOut(partial, input, new Pieces(body, job.signal, principal.ended), job);
    } finally {
      await drain(body);
    }
  }

  /** The volume that the content goes into: a new one, or the one that waits for the rest. */
  async #place(pool: string, name: string, size: number, offset: number): Promise<Partial> {
    const { link, inventory: { storage } } = this.#services;
    const key = `${pool}/${name}`;
    requireActive(this.#services, pool);
    const known = this.#partials.get(key);
    if (known?.isRunning) throw new ContractError("UploadRunning", { pool, name });
    if (offset > 0) {
      if (known === undefined) throw new ContractError("UploadNotFound", { pool, name });
      if (known.received !== offset || known.size !== size) {
        throw new ContractError("UploadOffset", { received: known.received, size: known.size });
      }
      clearTimeout(known.expiry);
      known.isRunning = true;
      return known;
    }
    const partial: Partial & { path: string } = {
      pool,
      name,
      path: "",
      size,
      received: 0,
      checksum: undefined,
      head: new Uint8Array(),
      isRunning: true,
      expiry: undefined,
    };
    this.#partials.set(key, partial); // before the first wait: two at once must not both begin
    try {
      if (known !== undefined) await this.#remove(known);
      this.#partials.set(key, partial);
      await link.call("poolRefresh", { pool });
      if (await volumeNamed(link, pool, name)) throw new ContractError("VolumeExists", { pool, name });
      await storage.refresh();
      const available = storage.record(pool)?.available ?? 0;
      if (size > available) {
        throw noRoom(size, available);
      }
      partial.path =
        (await createVolume(link, pool, { name, capacity: size, allocation: 0, format: "raw" })).path;
      return partial;
    } catch (error) {
      this.#partials.delete(key);
      throw contractError(error, "UploadFailed", "upload_volume");
    }
  }

  async #carryOut(
    partial: Partial,
    { checksum: wanted, resumable = false }: Input<"upload_volume">,
    pieces: Pieces,
    job: OpenJob,
  ): Promise<Output<"upload_volume">> {
    const { pool, name, size, path } = partial;
    const { link } = this.#services;
    job.log(partial.received === 0 ? `Writing ${path}` : `Going on at byte ${partial.received} of ${path}`);
    try {
      const sha256 = await this.#fill(partial, pieces, job);
      job.log(`SHA-256 ${sha256}`);
      if (wanted !== undefined && wanted !== sha256) {
        throw new ContractError("ChecksumMismatch", { sha256, wanted });
      }
      await link.call("poolRefresh", { pool });
      const volume = await volumeNamed(link, pool, name);
      job.done();
      partial.checksum?.[Symbol.dispose]();
      this.#partials.delete(`${pool}/${name}`);
      return {
        pool,
        name,
        path,
        ...(volume?.format !== undefined && { format: volume.format }),
        size,
        sha256,
      };
    } catch (error) {
      const failure = contractError(error, "UploadFailed", "upload_volume");
      const broke = failure instanceof ContractError && failure.code === "UploadBroken";
      if (broke && resumable && !job.signal.aborted) this.#keep(partial, job);
      else {
        job.log("Removing the unfinished volume");
        await this.#remove(partial).catch((left) =>
          log.error("an unfinished volume could not be removed", { path, error: left })
        );
      }
      throw job.failed(failure);
    } finally {
      pieces[Symbol.dispose]();
      partial.isRunning = false;
    }
  }

  /**
   * Moves the body into the volume.
   *
   * @returns the SHA-256 of all of it
   * @throws {ContractError} UploadBroken, UploadFailed, DiskRefused @throws {LibvirtError}
   */
  async #fill(partial: Partial, pieces: Pieces, job: OpenJob): Promise<string> {
    const { path, size, received } = partial;
    await using transfer = await Transfer.open(this.#services.link.uri, {
      direction: "upload",
      path,
      offset: received,
      length: size - received,
    });
    const checksum = partial.checksum ??= new Checksum();
    const filler = new Filler([transfer, checksum], (written) => {
      partial.received += written;
      job.progress(partial.received, size);
    });
    let arrived = received;
    while (arrived < size) {
      const bytes = await pieces.next();
      if (bytes === null) {
        // What has arrived is kept: the rest goes on behind it. A stream that is not finished loses its last pieces.
        await filler.flush();
        await transfer.finish();
        throw new ContractError("UploadBroken", { received: partial.received, size });
      }
      if (arrived + bytes.length > size) {
        throw new ContractError("UploadFailed", { error: `more than the announced ${size} bytes arrived` });
      }
      arrived += bytes.length;
      this.#look(partial, bytes, arrived);
      await filler.put(bytes);
      release(bytes);
    }
    await filler.flush();
    await transfer.finish();
    return await checksum.sha256();
  }

  /** Looks at the start of the content as soon as enough of it is there. @throws {ContractError} DiskRefused */
  #look(partial: Partial, bytes: Uint8Array, arrived: number): void {
    if (partial.head === undefined) return;
    const head = new Uint8Array(Math.min(HEAD_BYTES, partial.head.length + bytes.length));
    head.set(partial.head);
    head.set(bytes.subarray(0, head.length - partial.head.length), partial.head.length);
    partial.head = head;
    if (head.length < HEAD_BYTES && arrived < partial.size) return;
    requireSelfContained(`${partial.pool}/${partial.name}`, head);
    partial.head = undefined;
  }

  #keep(partial: Partial, job: OpenJob): void {
    job.log(`It broke off at byte ${partial.received} and is kept for an hour, to be gone on with`);
    partial.expiry = setTimeout(() => {
      this.#remove(partial).catch((error) =>
        log.error("an unfinished volume could not be removed", { path: partial.path, error })
      );
    }, KEPT_MS);
  }

  async #remove(partial: Partial): Promise<void> {
    clearTimeout(partial.expiry);
    this.#partials.delete(`${partial.pool}/${partial.name}`);
    partial.checksum?.[Symbol.dispose]();
    try {
      await deleteVolume(this.#services.link, partial.path);
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      // Its stream may just be closing: libvirt gives the volume free a moment later.
      await new Promise((resolve) => setTimeout(resolve, 500));
      await deleteVolume(this.#services.link, partial.path);
    }
  }

  /** Removes what waits for its rest: nobody can go on with it after the end of this process. */
  async stop(): Promise<void> {
    for (const partial of [...this.#partials.values()]) {
      if (partial.isRunning) continue;
      await this.#remove(partial).catch((error) =>
        log.error("an unfinished volume could not be removed", { path: partial.path, error })
      );
    }
  }
}

/** The pieces of a body, until it is over, stalls, or the job or whoever sends it is stopped. */
class Pieces implements Disposable {
  readonly #body: Arriving;
  readonly #job: AbortSignal;
  readonly #sender: AbortSignal;
  readonly #stop = () => this.#body.interrupt(this.#job.reason);
  readonly #breakOff = () => this.#body.interrupt(BROKEN);
  readonly #looks: ReturnType<typeof setInterval>;
  #last = performance.now();

  constructor(body: Arriving, job: AbortSignal, sender: AbortSignal) {
    this.#body = body;
    this.#job = job;
    this.#sender = sender;
    job.addEventListener("abort", this.#stop);
    sender.addEventListener("abort", this.#breakOff);
    // One timer for all pieces: one for each would cost as much as the piece.
    this.#looks = setInterval(() => {
      if (performance.now() - this.#last > STALL_MS) this.#breakOff();
    }, LOOK_MS);
  }

  /** The next piece; null when it broke off. @throws {ContractError} JobCancelled */
  async next(): Promise<Uint8Array | null> {
    this.#job.throwIfAborted();
    if (this.#sender.aborted) return null;
    try {
      const bytes = await this.#body.next();
      this.#last = performance.now();
      return bytes;
    } catch (error) {
      if (error === BROKEN) return null;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#looks);
    this.#job.removeEventListener("abort", this.#stop);
    this.#sender.removeEventListener("abort", this.#breakOff);
  }
}

/** Why a piece is waited for no longer. */
const BROKEN = Symbol("the body broke off");

/**
 * Reads what is left of a body for a moment: a connection is cut when its body is not read to the end, and who still
 * sends would not get the answer. Whoever sends for longer finds it at the job.
 */
async function drain(body: Arriving): Promise<void> {
  const until = performance.now() + DRAIN_MS;
  const timer = setTimeout(() => body.interrupt(BROKEN), DRAIN_MS);
  try {
    while (performance.now() < until && await body.next() !== null);
  } catch (error) {
    if (error !== BROKEN) throw error;
  } finally {
    clearTimeout(timer);
  }
}
