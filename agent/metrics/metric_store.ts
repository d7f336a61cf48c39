/** The store of metrics as the agent sees it: a worker of its own, and what troubles it at the moment. */
import { join } from "node:path";
import { AnsweringWorker } from "../../ffi/answering_worker.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import type { MetricCleanup } from "../../lib/contract/metrics.ts";
import { workerUrl } from "../../lib/bundle.ts";
import { log } from "../log.ts";
import { fileBytes, METRICS_FILE } from "./metric_file.ts";
import type { FromMetricWorker, MetricCall, MetricCalls, ToMetricWorker } from "./store_protocol.ts";
import { heartbeat } from "../heartbeat.ts";
import type { Sentence } from "../../lib/i18n/message.ts";

/** Milliseconds for an answer: a large file is looked through when it is opened, and a slow disk is slow. */
const ANSWER_MS = 120_000;
/** Bytes of the file system that metrics leave to others, first of all to the configuration. */
const RESERVE = 64 << 20;

export class MetricStore {
  readonly path: string;
  readonly #reserve: number;
  readonly #onTrouble: (trouble: string) => void;
  #worker: AnsweringWorker<ToMetricWorker, FromMetricWorker> | undefined;
  #trouble: string | null = null;
  #generation = 0;
  #isClosed = false;

  /**
   * @param onTrouble told once of each trouble, in the words of {@link trouble}
   * @param reserve bytes that are left free
   */
  constructor(dataDir: string, onTrouble: (trouble: string) => void = () => {}, reserve = RESERVE) {
    this.path = join(dataDir, METRICS_FILE);
    this.#onTrouble = onTrouble;
    this.#reserve = reserve;
  }

  /** Why nothing is stored at the moment, and what to do; null when all is well. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** Changes when the ids of series that were given before are good no more. */
  get generation(): number {
    return this.#generation;
  }

  /** Asks the worker. It is started when it is first needed. @throws {ContractError} MetricsUnavailable */
  async ask<C extends MetricCall>(call: C, input: MetricCalls[C]["in"]): Promise<MetricCalls[C]["out"]> {
    if (this.#isClosed) throw this.#unavailable("KVM Manager is stopping");
    if (!this.#worker || this.#worker.isOver) {
      this.#worker = new AnsweringWorker(
        workerUrl("agent/metrics/store_worker.ts"),
        "metrics",
        (_kind, reason) => this.#unavailable(reason),
      );
      await this.#call("open", { path: this.path, reserve: this.#reserve, heartbeat });
    }
    return await this.#call(call, input);
  }

  async #call<C extends MetricCall>(call: C, input: MetricCalls[C]["in"]): Promise<MetricCalls[C]["out"]> {
    let answer: FromMetricWorker;
    try {
      answer = await this.#worker!.ask({ call, input } as ToMetricWorker, ANSWER_MS);
    } catch (error) {
      this.#note(error instanceof ContractError ? error.message : String(error));
      this.#generation = 0; // a new worker counts again
      throw error;
    }
    this.#generation = answer.generation;
    if (answer.movedTo !== undefined) {
      const text = `The metrics' file was damaged. It was moved to ${answer.movedTo}, and a new one begun.`;
      log.error(text);
      this.#onTrouble(text);
    }
    if (answer.trouble !== undefined) {
      this.#note(answer.trouble);
      throw this.#unavailable(answer.trouble);
    }
    // That it can be read does not tell that it can be written
    if (call === "write" || call === "register" || call === "take") this.#note(null);
    return answer.value as MetricCalls[C]["out"];
  }

  /** Takes note of how it is, and reports a new trouble once. */
  #note(trouble: string | null): void {
    if (trouble === this.#trouble || (trouble !== null && this.#isClosed)) return;
    const had = this.#trouble;
    this.#trouble = trouble;
    if (trouble === null) log.info("metrics are stored again");
    else if (had === null) {
      log.error("metrics are not stored", { error: trouble });
      this.#onTrouble(`Metrics are not stored: ${trouble}`);
    }
  }

  /** Packs what is over, part by part: others are answered in between. @param now seconds since 1970 */
  async pack(now: number, signal?: AbortSignal): Promise<void> {
    while (!signal?.aborted && await this.ask("pack", { now })) { /* the next part */ }
  }

  /**
   * Removes what is older, and gives the space back, part by part.
   *
   * @param before seconds since 1970, by id of resolution
   * @throws {ContractError} MetricsUnavailable
   */
  async clean(before: readonly number[]): Promise<MetricCleanup> {
    const size = () => fileBytes(this.path), had = size();
    let removedPoints = 0;
    for (let after: number | null = 0; after !== null;) {
      const part: MetricCalls["clean"]["out"] = await this.ask("clean", { before, after });
      removedPoints += part.points;
      after = part.next;
    }
    while (await this.ask("shrink", {})) { /* the next part */ }
    return { removedPoints, freedBytes: Math.max(0, had - size()) };
  }

  /** Ends the worker after what it was asked. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    const worker = this.#worker;
    this.#isClosed = true;
    if (!worker || worker.isOver) return;
    try {
      await worker.ask({ call: "close", input: {} }, 2000);
    } catch (error) {
      log.warn("the metrics' worker did not stop by itself", { error });
    }
    worker.end();
  }

  #unavailable(reason: Sentence): ContractError {
    return new ContractError("MetricsUnavailable", { reason });
  }
}
