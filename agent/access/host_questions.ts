/** Questions to PAM, each on a thread of its own, which a module of PAM may hold for ever. */
import { workerUrl } from "../../lib/bundle.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import type { HostAnswer, HostQuestion } from "../../ffi/pam.ts";
import type { FromPam } from "../../ffi/pam_worker.ts";
import { log } from "../log.ts";

/** Threads at once, those that hang among them; beyond it questions are refused. */
const AT_ONCE = 4;
/** Milliseconds a question may take. */
const LIMIT_MS = 30_000;

/** Asks PAM, with a bound on the threads that takes. */
export class HostQuestions {
  #threads = 0;

  /** @param url of the worker's module; tests have one that hangs */
  constructor(
    private readonly url = workerUrl("ffi/pam_worker.ts"),
    private readonly limitMs = LIMIT_MS,
  ) {}

  /** Threads that have not come back from PAM. */
  get threads(): number {
    return this.#threads;
  }

  /**
   * Asks PAM a question.
   *
   * @throws {ContractError} TooManyRequests
   * @throws {Error} when PAM fails, or does not answer in time
   */
  async ask(question: HostQuestion): Promise<HostAnswer> {
    if (this.#threads >= AT_ONCE) {
      throw new ContractError("TooManyRequests", { what: "sign-ins", limit: AT_ONCE });
    }
    this.#threads++;
    const worker = new Worker(this.url, { type: "module", name: "pam" });
    const { promise, resolve, reject } = Promise.withResolvers<HostAnswer>();
    // Ending a worker does not end a thread that is inside a C function: its place is free when it comes back.
    const ended = () => {
      worker.terminate();
      this.#threads--;
    };
    worker.onmessage = ({ data }: MessageEvent<FromPam>) => {
      ended();
      if ("answer" in data) resolve(data.answer);
      else reject(new Error(data.failure));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      ended();
      reject(new Error(event.message));
    };
    worker.postMessage(question);
    const timer = setTimeout(() => {
      log.warn("PAM holds a thread", { threads: this.#threads, most: AT_ONCE });
      reject(new Error(`PAM did not answer within ${this.limitMs / 1000} s`));
    }, this.limitMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }
}
