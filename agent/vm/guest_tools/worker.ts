/// <reference lib="deno.worker" />
/** Makes the guest tools: unpacking and packing several megabytes takes a second, which the main thread has not. */
import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { type AgentPrograms, guestToolsCd } from "../../../lib/guest/tools/cd.ts";
import { messageOf } from "../../../lib/text/message.ts";
import type { FromToolsWorker, ToToolsWorker } from "./protocol.ts";

declare const self: DedicatedWorkerGlobalScope;

const gzip = (bytes: Uint8Array) => gzipSync(bytes, { level: 9 });
const digest = (algorithm: string, bytes: Uint8Array) => createHash(algorithm).update(bytes).digest("hex");

function answer({ packed, version }: ToToolsWorker): FromToolsWorker {
  try {
    const programs = Object.fromEntries(
      Object.entries(packed).map(([name, bytes]) => [name, gunzipSync(bytes)]),
    ) as unknown as AgentPrograms;
    const cd = guestToolsCd({ programs, version, gzip, digest });
    return { cd, sha256: createHash("sha256").update(cd).digest("hex") };
  } catch (error) {
    return { failure: messageOf(error) };
  }
}

self.onmessage = ({ data }: MessageEvent<ToToolsWorker>) => self.postMessage(answer(data));
