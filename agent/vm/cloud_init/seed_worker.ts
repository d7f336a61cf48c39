/// <reference lib="deno.worker" />
/** Works on seeds: one task after the other, each ended when it takes too long. */
import { readSeed } from "../../../lib/vm/cloud_init/seed.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { withinTime } from "../../../ffi/time_limit.ts";
import { FieldFault, made, shown } from "./seed_documents.ts";
import type { FromSeedWorker, SeedTask, ToSeedWorker } from "./seed_protocol.ts";

declare const self: DedicatedWorkerGlobalScope;

function run(task: SeedTask): FromSeedWorker {
  switch (task.type) {
    case "make":
      return { type: "documents", documents: made(task.cloudInit, task.before, task.about) };
    case "show":
      return { type: "documents", documents: shown(task.documents) };
    case "read":
      return { type: "seed", seed: readSeed(task.bytes) };
  }
}

function answer(task: ToSeedWorker): FromSeedWorker {
  try {
    return withinTime(task.ms, () => run(task));
  } catch (error) {
    if (error instanceof FieldFault) return { type: "fault", field: error.field, message: error.message };
    return { type: "failure", message: messageOf(error) };
  }
}

self.onmessage = ({ data }: MessageEvent<ToSeedWorker>) => self.postMessage(answer(data));
