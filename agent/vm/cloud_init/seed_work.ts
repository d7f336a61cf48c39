/** Work on seeds, off the main thread: a document may take seconds to read, and a password to hash. */
import type { SeedSubject } from "../../../lib/vm/cloud_init/documents.ts";
import type { Seed } from "../../../lib/vm/cloud_init/seed.ts";
import { type CloudInit, ContractError } from "../../../lib/contract/mod.ts";
import { workerUrl } from "../../../lib/bundle.ts";
import { SerialWorker } from "../../../ffi/serial_worker.ts";
import type { Documents, MadeDocuments } from "./seed_documents.ts";
import type { FromSeedWorker, SeedTask, ToSeedWorker } from "./seed_protocol.ts";

/** Milliseconds a task may take, and more for a worker that starts. */
const LIMIT_MS = 10_000, QUEUE_MS = 20_000;

class SeedDocuments {
  readonly #worker = new SerialWorker<ToSeedWorker, FromSeedWorker>(
    workerUrl("agent/vm/cloud_init/seed_worker.ts"),
    "cloud-init",
    (_kind, reason) => new Error(reason),
  );

  async #run(task: SeedTask): Promise<Exclude<FromSeedWorker, { type: "fault" | "failure" }>> {
    const answer = await this.#worker.ask({ ...task, ms: LIMIT_MS }, LIMIT_MS + QUEUE_MS);
    if (answer.type === "fault") {
      const { field, message } = answer;
      throw new ContractError("InvalidInput", { reason: `cloudInit.${field} ${message}`, field });
    }
    if (answer.type === "failure") throw new Error(answer.message);
    return answer;
  }

  async #documents(task: SeedTask): Promise<MadeDocuments> {
    const answer = await this.#run(task);
    if (answer.type !== "documents") throw new TypeError(`documents were expected, not a ${answer.type}`);
    return answer.documents;
  }

  /**
   * Checks everything, hashes passwords, puts kept secrets in, and writes the documents.
   *
   * @param before the seed that secrets are kept of
   * @throws {ContractError} InvalidInput, naming the field; CloudInitFailed when it takes too long
   */
  async make(cloudInit: CloudInit, before: Seed | undefined, about: SeedSubject): Promise<MadeDocuments> {
    try {
      return await this.#documents({ type: "make", cloudInit, before, about });
    } catch (error) {
      if (error instanceof ContractError || !(error instanceof Error)) throw error;
      throw new ContractError("CloudInitFailed", { error: error.message }, { cause: error });
    }
  }

  /** The documents without hashes and secrets. @throws {Error} when one is no YAML */
  async shown({ cloudInit, files }: Documents): Promise<MadeDocuments> {
    return await this.#documents({ type: "show", documents: { cloudInit, files } });
  }

  /** Reads a seed. @throws {Error} when the bytes are none */
  async read(bytes: Uint8Array): Promise<Seed> {
    const answer = await this.#run({ type: "read", bytes });
    if (answer.type !== "seed") throw new TypeError(`a seed was expected, not ${answer.type}`);
    return answer.seed;
  }
}

/** The one of this process. */
export const seedDocuments = new SeedDocuments();
