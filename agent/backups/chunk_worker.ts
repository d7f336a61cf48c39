/// <reference lib="deno.worker" />
/** Works on chunks of backups: on the main thread each would hold up everybody else for milliseconds. */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { FromChunkWorker, ToChunkWorker } from "./chunk_threads.ts";
import { chunkName } from "./digest.ts";

declare const self: DedicatedWorkerGlobalScope;

/** zstd's fastest ordinary level: a backup waits for the disk, not for the CPUs. */
const LEVEL = 1;
/** Bytes that what comes out has room for beyond what went in: it fits in one piece, which Node then need not copy. */
const ROOM = 65_536;

/** Node's buffer as what it is: bytes of memory that is not shared. */
const bytesOf = (buffer: Uint8Array): Uint8Array<ArrayBuffer> =>
  buffer.buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    : new Uint8Array(buffer);

function worked({ work, bytes, most = 0, nameKey }: ToChunkWorker): FromChunkWorker {
  if (work === "name") return { name: chunkName(bytes, nameKey), content: bytes };
  if (work === "pack") {
    const params = { [constants.ZSTD_c_compressionLevel]: LEVEL };
    const packed = bytesOf(zstdCompressSync(bytes, { params, chunkSize: bytes.length + ROOM }));
    return { packed, content: bytes };
  }
  try {
    const content = bytesOf(zstdDecompressSync(bytes, { maxOutputLength: most, chunkSize: most + ROOM }));
    return { name: chunkName(content, nameKey), content };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

self.onmessage = ({ data }: MessageEvent<ToChunkWorker>) => {
  const answer = worked(data);
  const memory = [answer.content, answer.packed].flatMap((bytes) =>
    bytes === undefined ? [] : [bytes.buffer]
  );
  self.postMessage(answer, memory);
};
