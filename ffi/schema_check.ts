/** Judging domain XML by libvirt's schemas, without libvirtd. */
import { workerUrl } from "../lib/bundle.ts";
import { SerialWorker } from "./serial_worker.ts";
import { LibvirtError } from "./error.ts";
import type { FromSchemaWorker, SchemaFault, ToSchemaWorker } from "./schema_protocol.ts";

/** Milliseconds a document may take: the largest that is accepted takes three seconds on a slow host. */
const LIMIT_MS = 15_000;
/** Milliseconds more for a worker that starts, or waits in libxml2, which nothing can interrupt. */
const SCHEMA_QUEUE_MS = 15_000;

/**
 * Checks XML by libvirt's schemas in a worker. A check that takes too long is ended there, so that nothing computes for
 * an answer that is not waited for.
 */
export class SchemaCheck {
  readonly #worker = new SerialWorker<ToSchemaWorker, FromSchemaWorker>(
    workerUrl("ffi/schema_worker.ts"),
    "schema",
    (kind, message) => new LibvirtError({ kind, message }),
  );

  /** @param limitMs milliseconds a document may take */
  constructor(private readonly limitMs = LIMIT_MS) {}

  /**
   * Fault of a domain XML by libvirt's schemas; null if it has none, or there are no schemas here. The XML must have no
   * document type.
   *
   * @throws {LibvirtError} kind `timeout` when it takes too long
   */
  async faultOf(xml: string): Promise<SchemaFault | null> {
    const answer = await this.#worker.ask({ xml, ms: this.limitMs }, this.limitMs + SCHEMA_QUEUE_MS);
    if ("failure" in answer) {
      throw new LibvirtError({ kind: answer.isLate ? "timeout" : "libvirt", message: answer.failure });
    }
    return answer.fault;
  }

  /** Ends its worker. */
  end(): void {
    this.#worker.end();
  }
}
