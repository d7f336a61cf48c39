/** Uploads of volumes: from the body of a request through libvirt's stream into a new volume, a piece at a time. */
import { Transfer } from "../../ffi/transfers.ts";
import { LibvirtError } from "../../ffi/error.ts";
import {
  type ConfigFinding,
  ContractError,
  type ImagePolicy,
  type Input,
  type Output,
} from "../../lib/contract/mod.ts";
import { contentKind, type PackingName, packingOf } from "../../lib/formats/content_kind.ts";
import { HEAD_BYTES, readImageHead } from "../../lib/formats/qcow2/head.ts";
import { includes, type Principal } from "../access.ts";
import { BodyReader, drain } from "../body_reader.ts";
import type { CallContext } from "../dispatch.ts";
import type { OpenJob } from "../jobs/jobs.ts";
import { contractError, isConnectionLost } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import type { Operation } from "../operations/operation.ts";
import { t } from "../operations/outcome.ts";
import { keyOf } from "../operations/operation_record.ts";
import { makeVolume } from "./volume_steps.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { RunningChecksum } from "./checksum.ts";
import { ChunkWriter } from "./chunk_writer.ts";
import { freeBuffer } from "./free_buffer.ts";
import { makeRoomFor, refuseTooLarge, requireWritable } from "./volume_checks.ts";
import { canConvert, convertArrived, isToConvert, requireConvertible } from "./arrived_disk.ts";
import { requireUnpackable, unpackArrived } from "./arrived_packed.ts";
import { packedName } from "./images/unpack.ts";
import { requirePlace, uploaderOf } from "./upload_limits.ts";
import { contentWarning } from "../../lib/image/content_warning.ts";
import { requireActive } from "./shared.ts";
import { createVolume, findVolumeNamed, removeVolume } from "./volumes.ts";
import { HOUR_MS } from "../../lib/duration.ts";
import { message } from "../../lib/i18n/message.ts";

/** Milliseconds an upload that broke off is kept. */
const KEPT_MS = HOUR_MS;

/** A volume that is being filled, or waits for the rest. */
interface Partial {
  readonly pool: string;
  /** As it was said. */
  readonly name: string;
  readonly caller: string;
  /** The volume that holds what arrives: another than `name` where that is what a packed file becomes. */
  volume: string;
  path: string;
  readonly size: number;
  received: number;
  /** Of what has arrived, also while it waits for the rest. */
  checksum: RunningChecksum | undefined;
  /** Record that settles it when libvirt or this process ends: then it cannot be resumed. */
  readonly operation: Operation;
  /** The start of the content: it is written when all of it is there and was looked at, or kept until the rest comes. */
  head: Uint8Array | undefined;
  /** Whether disks of other hypervisors can be converted there. */
  readonly canConvert: boolean;
  /** It is one. */
  isConverted: boolean;
  /** Whether packed files are unpacked. */
  readonly unpacks: boolean;
  /** How it is packed, where it is to be unpacked. */
  packing: PackingName | undefined;
  /** Other callers do not see it as a volume before it is whole. */
  readonly held: DisposableStack;
  isRunning: boolean;
  expiry: ReturnType<typeof setTimeout> | undefined;
}

/**
 * Judges the start of what arrives.
 *
 * @throws {ContractError} DiskRefused: the image would have QEMU open other files (CVE-2024-32498, CVE-2022-47951)
 */
function judge(
  partial: Pick<Partial, "pool" | "name" | "canConvert" | "isConverted" | "unpacks" | "packing">,
  head: Uint8Array,
): void {
  partial.packing = partial.unpacks ? packingOf(head) : undefined;
  partial.isConverted = partial.canConvert && isToConvert(head);
  const { refusal } = readImageHead(head);
  if (refusal === null || partial.isConverted) return;
  throw new ContractError("DiskRefused", { path: `${partial.pool}/${partial.name}`, reason: refusal });
}

/** Requires that the principal began the upload, or is an administrator. @throws {ContractError} UploadOfOther */
function requireOwn({ pool, name, caller }: Partial, principal: Principal): void {
  if (caller === uploaderOf(principal) || includes(principal.role, "administrator")) return;
  throw new ContractError("UploadOfOther", { pool, name });
}

/** Bytes that have arrived: what is written, and the start that is not yet. */
const arrivedOf = ({ received, head }: Partial) => received + (head?.length ?? 0);

/**
 * The part of the content that may be written: nothing before its start is complete and checked, so that the
 * disk never has a head that was not checked.
 *
 * @returns null while more has to come first @throws {ContractError} DiskRefused
 */
function judgedPart(
  partial: Partial,
  bytes: Uint8Array,
  arrived: number,
): Uint8Array | null {
  if (partial.head === undefined) return bytes;
  const start = new Uint8Array(partial.head.length + bytes.length);
  start.set(partial.head);
  start.set(bytes, partial.head.length);
  partial.head = start;
  if (start.length < HEAD_BYTES && arrived < partial.size) return null;
  judge(partial, start.subarray(0, HEAD_BYTES));
  partial.head = undefined;
  return start;
}

export class Uploads {
  readonly #host: LibvirtHost;
  readonly #partials = new Map<string, Partial>();

  readonly #policy: () => ImagePolicy;

  /** @param policy limits of images. It throws a ContractError while they cannot be read */
  constructor(host: LibvirtHost, policy: () => ImagePolicy) {
    this.#host = host;
    this.#policy = policy;
  }

  /** The uploads into a pool that are not whole, by name. */
  list({ pool }: Input<"list_uploads">): Output<"list_uploads"> {
    return [...this.#partials.values()].filter((partial) => partial.pool === pool)
      .map((partial) => ({
        volume: partial.name,
        offset: arrivedOf(partial),
        size: partial.size,
        isRunning: partial.isRunning,
      }))
      .sort((a, b) => a.volume < b.volume ? -1 : 1);
  }

  /** How far an upload that broke off had come. @throws {ContractError} UploadNotFound */
  state({ pool, volume: name }: Input<"get_upload">): Output<"get_upload"> {
    const partial = this.#partials.get(`${pool}/${name}`);
    if (partial === undefined) throw new ContractError("UploadNotFound", { pool, name });
    return { offset: arrivedOf(partial), size: partial.size, isRunning: partial.isRunning };
  }

  /** Removes an upload that broke off before its time. @throws {ContractError} UploadNotFound, UploadRunning, UploadOfOther */
  async cancel(
    { pool, volume: name }: Input<"delete_upload">,
    principal: Principal,
  ): Promise<Output<"delete_upload">> {
    const partial = this.#partials.get(`${pool}/${name}`);
    if (partial === undefined) throw new ContractError("UploadNotFound", { pool, name });
    requireOwn(partial, principal);
    if (partial.isRunning) throw new ContractError("UploadRunning", { pool, name });
    await this.#remove(partial);
    return null;
  }

  /** Takes a file in, or the rest of one. @throws {ContractError} */
  async take(
    input: Input<"upload_volume">,
    { principal, content }: CallContext,
  ): Promise<Output<"upload_volume">> {
    const { pool, volume: name, size, offset = 0 } = input;
    if (!content?.body || size === undefined) throw new ContractError("ContentExpected");
    const { body } = content;
    try {
      const partial = await this.#place(input, size, offset, principal);
      const job = await this.#host.jobs.open({
        command: "upload_volume",
        title: message`Upload ${name} to ${pool}`,
        actor: principal.name,
        subject: `${pool}/${name}`,
        ifInterrupted: t("operations.later"),
      });
      const pieces = new BodyReader(body, job.signal, principal.ended);
      return await this.#carryOut(partial, input, { pieces, job, actor: principal.name });
    } finally {
      await drain(body);
    }
  }

  /** The volume that the content goes into: a new one, or the one that waits for the rest. */
  async #place(
    { pool, volume: name, unpack = "auto" }: Input<"upload_volume">,
    size: number,
    offset: number,
    principal: Principal,
  ): Promise<Partial> {
    const { link, operations } = this.#host;
    const key = `${pool}/${name}`;
    requireActive(this.#host, pool);
    await requireWritable(this.#host, pool);
    const keys = [keyOf.volume(pool, name)];
    await operations.ready(keys);
    const converts = await canConvert(this.#host, pool);
    const known = this.#partials.get(key);
    if (known !== undefined) requireOwn(known, principal);
    if (known?.isRunning) throw new ContractError("UploadRunning", { pool, name });
    if (offset > 0) {
      if (known === undefined) throw new ContractError("UploadNotFound", { pool, name });
      const received = arrivedOf(known);
      if (received !== offset || known.size !== size) {
        throw new ContractError("UploadOffset", { received, size: known.size });
      }
      clearTimeout(known.expiry);
      known.isRunning = true;
      return known;
    }
    const actor = principal.name, caller = uploaderOf(principal);
    if (known === undefined) requirePlace([...this.#partials.values()], caller);
    const held = new DisposableStack();
    known?.held.dispose();
    held.use(this.#host.locks.take(pool, name, { hold: "make" }));
    const partial: Partial = {
      pool,
      name,
      caller,
      volume: name,
      path: "",
      size,
      received: 0,
      checksum: undefined,
      operation: operations.begin({ command: "upload_volume", subject: key, actor, keys }),
      head: new Uint8Array(),
      canConvert: converts,
      isConverted: false,
      unpacks: unpack === "auto",
      packing: undefined,
      held,
      isRunning: true,
      expiry: undefined,
    };
    this.#partials.set(key, partial); // before the first wait: two at once must not both begin
    try {
      if (known !== undefined) {
        known.checksum?.[Symbol.dispose]();
        await this.#clear(known);
      }
      this.#partials.set(key, partial);
      await link.call("poolRefresh", { pool });
      if (await findVolumeNamed(link, pool, name)) throw new ContractError("VolumeExists", { pool, name });
      await makeRoomFor(this.#host, pool, size);
      refuseTooLarge(this.#host, pool, size);
      const volume = { name, capacity: size, allocation: 0, format: "raw" };
      const made = await makeVolume(
        link,
        partial.operation,
        { pool, name },
        () => createVolume(link, pool, volume),
      );
      partial.path = made.path;
      return partial;
    } catch (error) {
      this.#forget(partial);
      await operations.failed(partial.operation, error);
      throw contractError(error, "UploadFailed", "upload_volume");
    }
  }

  async #carryOut(
    partial: Partial,
    { checksum, resumable = false }: Input<"upload_volume">,
    { pieces, job, actor }: {
      readonly pieces: BodyReader;
      readonly job: OpenJob;
      readonly actor: string;
    },
  ): Promise<Output<"upload_volume">> {
    const { pool, name, size } = partial;
    const { link, operations } = this.#host;
    const wanted = checksum?.toLowerCase();
    partial.operation.showsAs(job.id);
    const before = arrivedOf(partial);
    if (before > 0) job.log(message`Going on at byte ${before} of ${partial.path}`);
    try {
      const sha256 = await this.#fill(partial, pieces, job);
      const { path } = partial;
      job.log(message`SHA-256 ${sha256}`);
      if (wanted !== undefined && wanted !== sha256) {
        throw new ContractError("ChecksumMismatch", { sha256, wanted });
      }
      // What counts is what the file holds now.
      const head = await link.call("volumeRead", { path, most: HEAD_BYTES });
      judge(partial, head);
      const how = { command: "upload_volume", policy: this.#policy(), job, actor } as const;
      let volume = partial.packing !== undefined
        ? await unpackArrived(this.#host, { ...partial, packing: partial.packing }, how)
        : partial.isConverted
        ? await convertArrived(this.#host, partial, how)
        : undefined;
      if (volume === undefined) {
        await link.call("poolRefresh", { pool });
        volume = await findVolumeNamed(link, pool, name);
        operations.end(partial.operation);
      } else await this.#clear(partial); // the image is whole: what was sent goes, now or later
      const doubt = volume === undefined ? undefined : await this.#doubtOf(volume.path);
      if (doubt !== undefined) job.log(doubt.message);
      job.done();
      this.#forget(partial);
      return {
        pool,
        name: volume?.name ?? name,
        path: volume?.path ?? path,
        ...(volume?.format !== undefined && { format: volume.format }),
        size,
        sha256,
        warnings: doubt === undefined ? [] : [doubt],
      };
    } catch (error) {
      const failure = contractError(error, "UploadFailed", "upload_volume");
      const broke = failure instanceof ContractError && failure.code === "UploadBroken";
      if (broke && resumable && !job.signal.aborted) this.#keep(partial, job);
      else {
        job.log("Removing the unfinished volume");
        await this.#remove(partial);
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
  async #fill(partial: Partial, pieces: BodyReader, job: OpenJob): Promise<string> {
    const { size } = partial;
    const broken = () => new ContractError("UploadBroken", { received: arrivedOf(partial), size });
    let arrived = arrivedOf(partial);
    const next = async () => {
      const bytes = await pieces.next();
      if (bytes !== null && arrived + bytes.length > size) {
        throw new ContractError("UploadFailed", {
          error: message`more than the announced ${size} bytes arrived`,
        });
      }
      arrived += bytes?.length ?? 0;
      return bytes;
    };
    let start: Uint8Array | null = null;
    while (partial.head !== undefined) {
      const bytes = await next();
      if (bytes === null) throw broken();
      start = judgedPart(partial, bytes, arrived);
      if (start === null) continue;
      if (partial.isConverted) await requireConvertible(this.#host, partial.pool, partial.name);
      if (partial.packing !== undefined) await this.#stage(partial, partial.packing);
      job.log(message`Writing ${partial.path}`);
    }
    await using transfer = await Transfer.open(this.#host.link.address, {
      direction: "upload",
      ...this.#host.link.placeOf(partial.path),
      offset: partial.received,
      length: size - partial.received,
    }, this.#host.link.gate);
    const checksum = partial.checksum ??= new RunningChecksum();
    const isWorkedOn = partial.isConverted || partial.packing !== undefined;
    const filler = new ChunkWriter([transfer, checksum], (written) => {
      partial.received += written;
      job.progress(partial.received, isWorkedOn ? 2 * size : size);
    });
    const put = async (bytes: Uint8Array) => {
      await filler.put(bytes);
      freeBuffer(bytes);
    };
    if (start !== null) await put(start);
    while (arrived < size) {
      const bytes = await next();
      if (bytes === null) {
        // What has arrived is kept: the rest goes on behind it. A stream that is not finished loses its last pieces.
        await filler.flush();
        await transfer.finish();
        throw broken();
      }
      await put(bytes);
    }
    await filler.flush();
    await transfer.finish();
    return await checksum.sha256();
  }

  /**
   * Makes room for what a packed file becomes: where its name does not say that it is packed, the unpacked file gets that
   * name, and what arrives another.
   *
   * @throws {ContractError} DiskRefused, VolumeExists @throws {LibvirtError}
   */
  async #stage(partial: Partial, packing: PackingName): Promise<void> {
    const { pool, name, size, operation, held } = partial;
    const { link } = this.#host;
    await requireUnpackable(this.#host, pool, name, packing);
    const volume = packedName(name, packing);
    if (volume === name) return;
    held.use(this.#host.locks.take(pool, volume, { hold: "make" }));
    if (await findVolumeNamed(link, pool, volume)) {
      throw new ContractError("VolumeExists", { pool, name: volume });
    }
    await removeVolume(link, partial.path);
    const made = await makeVolume(
      link,
      operation,
      { pool, name: volume },
      () => createVolume(link, pool, { name: volume, capacity: size, allocation: 0, format: "raw" }),
    );
    Object.assign(partial, { volume, path: made.path });
  }

  /** Reason why a new volume is no disk or CD; undefined if there is none. */
  async #doubtOf(path: string): Promise<ConfigFinding | undefined> {
    const content = contentKind(await this.#host.link.call("volumeRead", { path, most: HEAD_BYTES }));
    // An archive of VMs, which import_ova takes.
    if (content.kind === "archive" && content.name === "tar") return undefined;
    return contentWarning("", content, path);
  }

  #keep(partial: Partial, job: OpenJob): void {
    job.log(message`It broke off at byte ${arrivedOf(partial)} and is kept for an hour, to be gone on with`);
    partial.expiry = setTimeout(() => void this.#remove(partial), KEPT_MS);
  }

  /** Lets go of what is whole, or gone. */
  #forget(partial: Partial): void {
    this.#partials.delete(`${partial.pool}/${partial.name}`);
    partial.checksum?.[Symbol.dispose]();
    partial.held[Symbol.dispose]();
  }

  /** Takes the volume away, now or when libvirt lets go of it. */
  async #remove(partial: Partial): Promise<void> {
    partial.isRunning = true; // it cannot be resumed from here on
    await this.#clear(partial);
    this.#forget(partial);
  }

  /** Deletes the volume that is not whole. What cannot be deleted now is settled later. */
  async #clear(partial: Partial): Promise<void> {
    clearTimeout(partial.expiry);
    const { link, operations } = this.#host;
    try {
      await removeVolume(link, partial.path).catch(async (error) => {
        if (!(error instanceof LibvirtError) || isConnectionLost(error)) throw error;
        // Its stream may just be closing: libvirt gives the volume free a moment later.
        await new Promise((resolve) => setTimeout(resolve, 500));
        await removeVolume(link, partial.path);
      });
      operations.end(partial.operation);
    } catch (error) {
      log.warn("an unfinished volume cannot be removed yet", { path: partial.path, error });
      await operations.failed(partial.operation, error);
    }
  }

  /** Removes what waits for its rest: it cannot be resumed after the end of this process. */
  async stop(): Promise<void> {
    for (const partial of [...this.#partials.values()]) {
      if (!partial.isRunning) await this.#remove(partial);
    }
  }
}
