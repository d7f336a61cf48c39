/** Uploads of volumes: from the body of a request through libvirt's stream into a new volume, a piece at a time. */
import { createHash, type Hash } from "node:crypto";
import { Transfer } from "../../ffi/transfers.ts";
import { LibvirtError } from "../../ffi/error.ts";
import { ContractError, type Input, type Output } from "../../lib/contract/mod.ts";
import { HEAD_BYTES, ImageError, looksLikeQcow2, readQcow2Header } from "../../lib/image/qcow2_header.ts";
import type { CallContext } from "../dispatch.ts";
import type { OpenJob } from "../jobs/jobs.ts";
import { contractError } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import type { VmServices } from "../vm/services.ts";
import { Filler } from "./filler.ts";
import { noRoom, requireActive, take } from "./shared.ts";
import { createVolume, deleteVolume, volumeNamed } from "./volumes.ts";

/** Milliseconds in which something of a body must arrive. */
const STALL_MS = 60_000;
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
  readonly hash: Hash;
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
    const body = content.body.getReader();
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
      return await this.#carryOut(partial, input, body, job);
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
      hash: createHash("sha256"),
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
    body: ReadableStreamDefaultReader<Uint8Array>,
    job: OpenJob,
  ): Promise<Output<"upload_volume">> {
    const { pool, name, size, path, hash } = partial;
    const { link } = this.#services;
    job.log(partial.received === 0 ? `Writing ${path}` : `Going on at byte ${partial.received} of ${path}`);
    try {
      await this.#fill(partial, body, job);
      const sha256 = hash.digest("hex");
      job.log(`SHA-256 ${sha256}`);
      if (wanted !== undefined && wanted !== sha256) {
        throw new ContractError("ChecksumMismatch", { sha256, wanted });
      }
      await link.call("poolRefresh", { pool });
      const volume = await volumeNamed(link, pool, name);
      job.done();
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
      partial.isRunning = false;
    }
  }

  /** Moves the body into the volume. @throws {ContractError} UploadBroken, UploadFailed, DiskRefused @throws {LibvirtError} */
  async #fill(partial: Partial, body: ReadableStreamDefaultReader<Uint8Array>, job: OpenJob): Promise<void> {
    const { path, size } = partial;
    await using transfer = await Transfer.open(this.#services.link.uri, {
      direction: "upload",
      path,
      offset: partial.received,
      length: size - partial.received,
    });
    const filler = new Filler(transfer, (written) => {
      partial.received += written;
      job.progress(partial.received, size);
    });
    let arrived = partial.received;
    while (arrived < size) {
      const bytes = await arrival(body, job.signal);
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
      partial.hash.update(bytes);
      await filler.put(bytes);
    }
    await filler.flush();
    await transfer.finish();
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

/**
 * Reads what is left of a body for a moment: a connection is cut when its body is not read to the end, and who still
 * sends would not get the answer. Whoever sends for longer finds it at the job.
 */
async function drain(body: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  const until = performance.now() + DRAIN_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const enough = new Promise<void>((resolve) => timer = setTimeout(resolve, DRAIN_MS));
  const rest = async () => {
    while (performance.now() < until && !(await body.read()).done);
  };
  await Promise.race([enough, rest().catch((error) => log.debug("a body was gone already", { error }))]);
  clearTimeout(timer);
}

/** The next piece of a body; null when it broke off. @throws {ContractError} JobCancelled */
async function arrival(
  body: ReadableStreamDefaultReader<Uint8Array>,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  signal.throwIfAborted();
  const stopped = Promise.withResolvers<never>();
  const onAbort = () => stopped.reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stalled = new Promise<null>((resolve) => timer = setTimeout(() => resolve(null), STALL_MS));
  const read = body.read().then(
    ({ done, value }) => done ? null : value,
    (error) => {
      log.debug("a body broke off", { error });
      return null;
    },
  );
  try {
    return await Promise.race([read, stalled, stopped.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
