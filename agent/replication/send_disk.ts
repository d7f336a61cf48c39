/** A disk on its way into a replica: what a qcow2 file holds of it, piece by piece, compressed. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { constants, zstdCompress } from "node:zlib";
import { chunkCount, chunkLength } from "../../lib/backup/chunk_list.ts";
import { CHUNK_BYTES } from "../../lib/backup/manifest.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import {
  BLOCK_BYTES,
  type DiskMode,
  MOST_DIGESTS,
  PIECE_HEAD,
  pieceMark,
  type SentDisk,
  writePiece,
} from "../../lib/host/replication_protocol.ts";
import { type Clusters, type Held, withClusters } from "../backups/increment.ts";
import type { Pace } from "../pace.ts";
import type { ReplicationConversation } from "./conversation.ts";

const compress = promisify(zstdCompress);
const PARAMS = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };
/** Share of its size that a piece has to lose by compression, else it is sent as it is. */
const WORTH = 0.95;
const ZERO = new Uint8Array(BLOCK_BYTES);

const isZeros = (content: Uint8Array) => Buffer.compare(content, ZERO.subarray(0, content.length)) === 0;

/** Digest of a block when disks are compared. */
export const digestOfBlock = (content: Uint8Array): string =>
  isZeros(content) ? "" : createHash("sha256").update(content).digest("base64");

/** A disk to send. */
export interface DiskToSend {
  /** The qcow2 file that holds it, or what has changed of it. */
  readonly path: string;
  readonly target: string;
  readonly bytes: number;
  /** Index of the disk in the increment. */
  readonly index: number;
  readonly mode: DiskMode;
  readonly talk: ReplicationConversation;
  readonly pace: Pace | undefined;
  readonly signal: AbortSignal;
  /** Is told how many bytes of the disk were looked at. */
  readonly onBytes: (done: number) => void;
}

/** How it went. */
export interface DiskSent extends SentDisk {
  /** Bytes of the disk that were sent, and bytes that went through the link. */
  readonly changedBytes: number;
  readonly sentBytes: number;
  /** Bytes that the file holds of it. */
  readonly heldBytes: number;
}

class Sender {
  readonly #hash = createHash("sha256");
  pieces = 0;
  changedBytes = 0;
  sentBytes = 0;
  heldBytes = 0;

  constructor(private readonly disk: DiskToSend) {}

  /** Sends content, a block at most. @param zeros whether zeros are told, or stand there already */
  async send(offset: number, content: Uint8Array, zeros = true): Promise<void> {
    if (isZeros(content)) return zeros ? await this.sendZeros(offset, content.length) : undefined;
    const packed = await compress(content, PARAMS);
    const isWorth = packed.length < content.length * WORTH, { length } = content;
    const payload = isWorth ? packed : content, kind = isWorth ? "zstd" : "plain";
    this.#hash.update(pieceMark(offset, length)).update(content);
    await this.#post(writePiece({ disk: this.disk.index, kind, offset, length, payload }), length);
  }

  async sendZeros(offset: number, length: number): Promise<void> {
    this.#hash.update(pieceMark(offset, length));
    const payload = new Uint8Array(0);
    await this.#post(writePiece({ disk: this.disk.index, kind: "zeros", offset, length, payload }), length);
  }

  async #post(message: Uint8Array<ArrayBuffer>, length: number): Promise<void> {
    const { talk, pace, signal } = this.disk;
    signal.throwIfAborted();
    await pace?.take(message.length, signal);
    this.pieces++;
    this.changedBytes += length;
    this.sentBytes += Math.max(message.length, PIECE_HEAD);
    await talk.send(message);
  }

  sent(): DiskSent {
    const { pieces, changedBytes, sentBytes, heldBytes } = this;
    const digest = this.#hash.digest("hex");
    return { target: this.disk.target, pieces, digest, changedBytes, sentBytes, heldBytes };
  }
}

/** Sends the blocks of a chunk that the file has clusters of, and no cluster that it has not. */
async function sendHeld(
  sender: Sender,
  file: Clusters,
  { clusters }: Held,
  { at, bytes, isWhole }: { readonly at: number; readonly bytes: number; readonly isWhole: boolean },
): Promise<void> {
  const { clusterBytes } = file.tables, most = BLOCK_BYTES / clusterBytes;
  for (let first = 0, next = 1; first < clusters.length; first = next, next++) {
    const kind = clusters[first] === "none" ? "none" : clusters[first] === "zeros" ? "zeros" : "content";
    const same = (each: typeof clusters[number] | undefined) =>
      each !== undefined && (each === "none" || each === "zeros" ? each === kind : kind === "content");
    while (next < clusters.length && next - first < most && same(clusters[next])) next++;
    if (kind === "none") continue;
    const offset = at + first * clusterBytes, length = Math.min(next * clusterBytes + at, bytes) - offset;
    sender.heldBytes += (next - first) * clusterBytes;
    if (kind === "zeros") {
      // A new image is zeros
      if (!isWhole) await sender.sendZeros(offset, length);
      continue;
    }
    const content = new Uint8Array((next - first) * clusterBytes);
    await file.lay(clusters.slice(first, next), content);
    await sender.send(offset, content.subarray(0, length), !isWhole);
  }
}

/**
 * Sends the blocks of a chunk that differ from the replica's. @param digests the replica's digest of each
 * block of the chunk
 */
async function sendDifferent(
  sender: Sender,
  file: Clusters,
  { clusters, isEmpty }: Held,
  { at, length, digests }: {
    readonly at: number;
    readonly length: number;
    readonly digests: readonly string[];
  },
): Promise<void> {
  const content = new Uint8Array(length);
  if (!isEmpty) {
    const { clusterBytes } = file.tables, whole = new Uint8Array(clusters.length * clusterBytes);
    await file.lay(clusters, whole);
    content.set(whole.subarray(0, length));
  }
  for (const [index, there] of digests.entries()) {
    const block = content.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES);
    if (digestOfBlock(block) === there) continue;
    await sender.send(at + index * BLOCK_BYTES, block);
  }
}

/** Sends it. @throws {ImageError} for a file that is not to be trusted @throws {ContractError} */
export async function sendDisk(disk: DiskToSend): Promise<DiskSent> {
  const { path, target, bytes, mode, talk, signal, onBytes } = disk, sender = new Sender(disk);
  const perChunk = CHUNK_BYTES / BLOCK_BYTES, perQuestion = MOST_DIGESTS / perChunk;
  await withClusters(path, bytes, async (file, of) => {
    await file.readAll();
    let digests: string[] = [];
    for (let chunk = 0; chunk < chunkCount(bytes, CHUNK_BYTES); chunk++) {
      signal.throwIfAborted();
      const at = chunk * CHUNK_BYTES, length = chunkLength(chunk, bytes, CHUNK_BYTES), held = await of(chunk);
      if (mode === "differences") {
        if (chunk % perQuestion === 0) {
          const from = chunk * perChunk;
          const count = Math.min(MOST_DIGESTS, Math.ceil(bytes / BLOCK_BYTES) - from);
          digests = (await talk.ask({ do: "digests", target, from, count })).digests;
          if (digests.length !== count) {
            const reason = "it does not tell what the replica has of each block";
            throw new ContractError("LinkedHostNonsense", { host: talk.host.label, reason });
          }
        }
        const first = (chunk % perQuestion) * perChunk;
        const own = digests.slice(first, first + Math.ceil(length / BLOCK_BYTES));
        await sendDifferent(sender, file, held, { at, length, digests: own });
      } else if (held.count > 0) {
        await sendHeld(sender, file, held, { at, bytes, isWhole: mode === "all" });
      }
      onBytes(at + length);
    }
  });
  return sender.sent();
}
