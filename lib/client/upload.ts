/** Sending a file as a new volume: how far it is, how long it takes, going on after a broken connection. */
import type { Job, Output } from "../contract/mod.ts";
import { ApiError } from "./api.ts";

/** The server's answer when it has the whole file. */
export type Uploaded = Output<"upload_volume">;

/** A file to be sent. */
export interface Sending {
  readonly pool: string;
  readonly name: string;
  readonly file: Blob;
  /** SHA-256 that its content must have; empty for any. */
  readonly checksum: string;
  /** A packed file is kept as it is. */
  readonly keepPacked?: boolean;
}

/** How far it is. */
export interface SendProgress {
  readonly sent: number;
  readonly size: number;
  /** Whole seconds that the rest takes; null while that cannot be told. */
  readonly secondsLeft: number | null;
  /** The connection broke: it is tried again. */
  readonly isWaiting: boolean;
}

/** Network and timers that an upload uses; tests pass their own. */
export interface UploadTransport {
  /** Sends the content from a byte on. @throws {ApiError} `Unreachable` when the connection broke */
  readonly send: (
    what: Sending,
    offset: number,
    onSent: (bytes: number) => void,
    signal: AbortSignal,
  ) => Promise<Uploaded>;
  /** How far an upload has come. @throws {ApiError} UploadNotFound */
  readonly state: (what: Sending) => Promise<Output<"get_upload">>;
  /** The last job about this volume. */
  readonly job: (what: Sending) => Promise<Job | undefined>;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Milliseconds, any origin. */
  readonly now: () => number;
}

/** Errors after which the rest can be sent. */
const BROKEN: ReadonlySet<string> = new Set([
  "Unreachable",
  "BadAnswer",
  "UploadBroken",
  "UploadRunning",
  "UploadOffset",
  "UploadNotFound",
]);
/** Tries without anything arriving before it is given up. */
const MOST_TRIES = 12;
const FIRST_WAIT_MS = 500, LONGEST_WAIT_MS = 15_000;
/** Milliseconds before anything is said about how long it takes. */
const FIRST_MS = 1500;

const codeOf = (error: unknown) => error instanceof ApiError ? error.code : "";

/** Time left, by how fast it went since the connection was made. */
function estimate(from: number, now: number, sent: number, rest: number): number | null {
  if (now - from < FIRST_MS || sent <= 0) return null;
  return Math.ceil(rest / (sent / (now - from)) / 1000);
}

/**
 * Offset to continue from after a failure. A former request that the server still reads is waited for: it may not have
 * taken any of it so far, and to begin again at once would lose the bytes that it keeps a moment later.
 *
 * @throws {ApiError} UploadRunning; the server's refusal, because the answer to a body that is not read whole gets lost
 */
async function goOn(wires: UploadTransport, what: Sending, known: string | undefined): Promise<number> {
  try {
    const { offset, isRunning } = await wires.state(what);
    if (isRunning) throw new ApiError("UploadRunning", "");
    return offset;
  } catch (error) {
    if (codeOf(error) !== "UploadNotFound") throw error;
  }
  const job = await wires.job(what);
  if (job !== undefined && job.id !== known && job.error !== null && job.error.code !== "UploadBroken") {
    throw new ApiError(job.error.code, job.error.message);
  }
  return 0;
}

/**
 * Sends a file as a new volume.
 *
 * @throws {ApiError} why it was refused @throws the signal's reason when it was cancelled
 */
export async function sendVolume(
  wires: UploadTransport,
  what: Sending,
  onProgress: (progress: SendProgress) => void,
  signal: AbortSignal,
): Promise<Uploaded> {
  const { size } = what.file;
  const known = (await wires.job(what))?.id;
  let offset = 0, tries = 0;
  for (;;) {
    const from = wires.now(), first = offset;
    let sent = offset;
    try {
      return await wires.send(what, offset, (bytes) => {
        sent = first + bytes;
        const secondsLeft = estimate(from, wires.now(), bytes, size - sent);
        onProgress({ sent, size, secondsLeft, isWaiting: false });
      }, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!BROKEN.has(codeOf(error))) throw error;
      for (let isKnown = false; !isKnown;) {
        if (tries++ >= MOST_TRIES) throw error;
        onProgress({ sent, size, secondsLeft: null, isWaiting: true });
        await wires.wait(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1)), signal);
        try {
          const arrived = await goOn(wires, what, known);
          if (arrived > offset) tries = 0;
          offset = arrived;
          isKnown = true;
        } catch (again) {
          signal.throwIfAborted();
          if (!BROKEN.has(codeOf(again))) throw again;
        }
      }
    }
  }
}
