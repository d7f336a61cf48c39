/// <reference lib="deno.worker" />
/** Counts SHA-256: as many at once as are asked for. One that waits for more costs some hundred bytes. */
import { createHash, type Hash } from "node:crypto";
import type { FromChecksumWorker, ToChecksumWorker } from "./checksum_protocol.ts";

declare const self: DedicatedWorkerGlobalScope;

const hashes = new Map<number, Hash>();

function answer({ id, step }: ToChecksumWorker): FromChecksumWorker {
  const hash = hashes.get(id) ?? createHash("sha256");
  if (typeof step === "object") {
    hashes.set(id, hash.update(step.count));
    return {};
  }
  hashes.delete(id);
  return step === "sum" ? { sha256: hash.digest("hex") } : {};
}

self.onmessage = ({ data }: MessageEvent<ToChecksumWorker>) => self.postMessage(answer(data));
