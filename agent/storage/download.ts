/** Downloads of volumes: libvirt's stream as the body of an answer, read as fast as the client takes it. */
import { message } from "../../lib/i18n/message.ts";
import { Transfer } from "../../ffi/transfers.ts";
import { ContractError, type Input, type Output } from "../../lib/contract/mod.ts";
import type { CallContext } from "../dispatch.ts";
import { contractError } from "../libvirt/failure.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { freeBuffer } from "./free_buffer.ts";
import { checkImage } from "./disk_images/check.ts";
import { requireActive } from "./shared.ts";
import { findVolumeNamed } from "./volumes.ts";

/**
 * Pieces that were given and may not be sent yet: the server takes two before it sends anything, and then one whenever
 * all before it is sent.
 */
const HELD = 4;

/** Pieces that are read before they are asked for. */
const AHEAD = 4;

/**
 * Opens a volume's content and gives it to who asked as a stream.
 *
 * @throws {ContractError} StoragePoolNotFound, StoragePoolNotActive, VolumeNotFound, ContentExpected, PreconditionFailed,
 * RangeNotSatisfiable, DownloadFailed
 */
export async function downloadVolume(
  host: LibvirtHost,
  { pool, volume: name }: Input<"download_volume">,
  { principal, content }: CallContext,
): Promise<Output<"download_volume">> {
  const { link, jobs } = host;
  if (!content?.answer) throw new ContractError("ContentExpected");
  requireActive(host, pool);
  const volume = await findVolumeNamed(link, pool, name);
  if (volume === undefined) throw new ContractError("VolumeNotFound", { pool, name });
  using opening = new DisposableStack();
  if (volume.type === "file" || volume.type === "block") {
    const use = { purpose: "bytes", role: principal.role } as const;
    await checkImage(host, { volume: { pool, name } }, use, opening);
  } else opening.use(host.locks.take(pool, name, { hold: "read" }));
  const size = await link.call("volumePhysical", { path: volume.path });
  const version = volume.changed === undefined ? undefined : `${size}-${volume.changed}`;
  const part = content.choose ? content.choose({ size, version }) : { offset: 0, length: size };
  if (part === null) return { name, size };
  const { offset, length } = part;
  const job = await jobs.open({
    command: "download_volume",
    title: message`Download ${name} from ${pool}`,
    actor: principal.name,
    subject: `${pool}/${name}`,
    ifInterrupted: "Download it again; a range can begin where it broke off.",
  });
  let transfer: Transfer | undefined;
  try {
    if (length > 0) {
      transfer = await Transfer.open(link.address, {
        direction: "download",
        ...link.placeOf(volume.path),
        offset,
        length,
      }, link.gate);
    }
  } catch (error) {
    throw job.failed(contractError(error, "DownloadFailed", "download_volume"));
  }
  const over = new AbortController();
  const held = opening.move();
  over.signal.addEventListener("abort", () => held.dispose(), { once: true });
  let sent = 0;
  const given: Uint8Array[] = [];
  const coming: Promise<Uint8Array<ArrayBuffer>>[] = [];
  /** The next piece; those behind it are read while the client takes it; at the end they are empty. */
  const next = (from: Transfer) => {
    while (coming.length < AHEAD) {
      const piece = from.receive();
      piece.catch(() => {/* thrown where it is awaited; meanwhile it is not unhandled */});
      coming.push(piece);
    }
    return coming.shift()!;
  };
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      const stop = (reason: unknown) => {
        controller.error(job.failed(reason));
        over.abort();
        transfer?.[Symbol.asyncDispose]();
      };
      job.signal.addEventListener("abort", () => stop(job.signal.reason), {
        once: true,
        signal: over.signal,
      });
      // It takes hours: it breaks off when whoever takes it may not any more.
      principal.ended.addEventListener("abort", () => stop(principal.ended.reason), {
        once: true,
        signal: over.signal,
      });
    },
    pull: async (controller) => {
      try {
        const bytes = transfer && await next(transfer);
        if (bytes !== undefined && bytes.length > 0) {
          sent += bytes.length;
          job.progress(offset + sent, offset + length);
          controller.enqueue(bytes);
          given.push(bytes);
          if (given.length > HELD) freeBuffer(given.shift()!);
        }
        if (sent < length && bytes !== undefined && bytes.length > 0) return;
        if (sent < length) throw new ContractError("DownloadFailed", { error: "the volume became shorter" });
        await transfer?.finish();
        over.abort();
        job.done();
        controller.close();
      } catch (error) {
        over.abort();
        const failure = job.failed(contractError(error, "DownloadFailed", "download_volume"));
        await transfer?.[Symbol.asyncDispose]();
        controller.error(failure);
      }
    },
    cancel: async () => {
      over.abort();
      // Who has the last byte hangs up, often before libvirt has closed its stream.
      if (sent === length) job.done();
      else job.failed(new ContractError("DownloadFailed", { error: "the client went away" }));
      await transfer?.[Symbol.asyncDispose]();
    },
  }, { highWaterMark: 0 });
  content.answer(stream);
  return { name, size };
}
