/** Records about images: the download policy. */
import type { DatabaseSync } from "node:sqlite";
import { ContractError, DEFAULT_IMAGE_POLICY, type ImagePolicy } from "../../../lib/contract/mod.ts";
import { checker } from "../../../lib/typebox/compile.ts";
import { ImagePolicy as Schema } from "../../../lib/contract/images.ts";
import { log } from "../../log.ts";
import type { Store } from "../../store/store.ts";

const isPolicy = checker(Schema);

export class ImageRecords {
  readonly #store: Store;
  #policy: ImagePolicy | undefined;

  constructor(store: Store) {
    this.#store = store;
    store.attach((database) => this.#read(database));
  }

  /**
   * The rules for downloads.
   *
   * @throws {ContractError} StoreUnavailable: rules that cannot be read are not as if there were none
   */
  policy(): ImagePolicy {
    if (this.#policy === undefined) this.#store.open();
    if (this.#policy === undefined) throw this.#unavailable();
    return this.#policy;
  }

  /** @throws {ContractError} StoreUnavailable */
  setPolicy(policy: ImagePolicy): void {
    const done = this.#store.write(() =>
      this.#database().prepare(
        "INSERT INTO image_policy (id, record) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record",
      ).run(JSON.stringify(policy))
    );
    if (!done) throw this.#unavailable();
    this.#policy = policy;
  }

  #database(): DatabaseSync {
    if (this.#store.database === undefined) throw new Error("the database is not open");
    return this.#store.database;
  }

  #unavailable(): ContractError {
    return new ContractError("StoreUnavailable", { reason: this.#store.trouble ?? "it is not open" });
  }

  #read(database: DatabaseSync): void {
    const row = database.prepare("SELECT record FROM image_policy WHERE id = 1").get();
    const stored: unknown = row === undefined ? {} : JSON.parse(String(row.record));
    // Rules that are newer than a stored record have their defaults.
    const policy = { ...DEFAULT_IMAGE_POLICY, ...stored as Partial<ImagePolicy> };
    if (isPolicy(policy)) this.#policy = policy;
    else {
      log.error("the stored rules for image downloads are not valid: nothing is downloaded", {
        record: stored,
      });
      throw new Error("the rules for image downloads cannot be read");
    }
  }
}
