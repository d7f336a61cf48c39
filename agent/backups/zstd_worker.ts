/// <reference lib="deno.worker" />
/** Compresses chunks of backups and unpacks them: on the main thread each would hold up everybody else for milliseconds. */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { FromZstdWorker, ToZstdWorker } from "./zstd.ts";

declare const self: DedicatedWorkerGlobalScope;

/** zstd's fastest ordinary level: a backup waits for the disk, not for the CPUs. */
const LEVEL = 1;

/** Node's buffer as what it is: bytes of memory that is nobody else's. */
const bytesOf = (buffer: Uint8Array): Uint8Array<ArrayBuffer> =>
  buffer.buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    : new Uint8Array(buffer);

function worked({ content, packed, most }: ToZstdWorker): FromZstdWorker {
  try {
    if (content !== undefined) {
      const params = { [constants.ZSTD_c_compressionLevel]: LEVEL };
      return { bytes: bytesOf(zstdCompressSync(content, { params })) };
    }
    return { bytes: bytesOf(zstdDecompressSync(packed!, { maxOutputLength: most! })) };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

self.onmessage = ({ data }: MessageEvent<ToZstdWorker>) => {
  const answer = worked(data), bytes = answer.bytes;
  // Its memory goes along, where it is nobody else's
  const isWhole = bytes?.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  self.postMessage(answer, isWhole ? [bytes.buffer] : []);
};
