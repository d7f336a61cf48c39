/// <reference lib="deno.worker" />
/** Counts a SHA-256: one a worker. */
import { createHash } from "node:crypto";
import type { FromChecksumWorker, ToChecksumWorker } from "./checksum_protocol.ts";

declare const self: DedicatedWorkerGlobalScope;

const hash = createHash("sha256");

self.onmessage = ({ data: { bytes } }: MessageEvent<ToChecksumWorker>) => {
  const answer: FromChecksumWorker = bytes === undefined ? { sha256: hash.digest("hex") } : {};
  if (bytes !== undefined) hash.update(bytes);
  self.postMessage(answer);
};
