/** Messages between what works on seeds and its worker. */
import type { SeedSubject } from "../../../lib/vm/cloud_init/documents.ts";
import type { Seed } from "../../../lib/vm/cloud_init/seed.ts";
import type { CloudInit } from "../../../lib/contract/cloud_init.ts";
import type { Documents, MadeDocuments } from "./seed_documents.ts";

/** Work, with the milliseconds that it may take. */
export type ToSeedWorker = { readonly ms: number } & SeedTask;

/** A task of the seed worker. */
export type SeedTask =
  | {
    readonly type: "make";
    readonly cloudInit: CloudInit;
    readonly before: Seed | undefined;
    readonly about: SeedSubject;
  }
  | { readonly type: "show"; readonly documents: Documents }
  | { readonly type: "read"; readonly bytes: Uint8Array };

/** Answer of the seed worker: a result, a fault in a field or in the bytes, or the reason why there is no result. */
export type FromSeedWorker =
  | { readonly type: "documents"; readonly documents: MadeDocuments }
  | { readonly type: "seed"; readonly seed: Seed }
  | { readonly type: "fault"; readonly field: string; readonly message: string }
  | { readonly type: "failure"; readonly message: string };
