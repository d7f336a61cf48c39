/**
 * Work of several steps, which is done whole or not at all whatever happens in the middle. Each step is written down
 * before it runs. When one fails, the steps before it are taken back; when libvirt goes away or this process ends, what
 * is left is settled as soon as libvirt answers: finished or taken back, and told.
 */
import { message, type Sentence, vmName } from "../../lib/i18n/message.ts";
import { AsyncLocalStorage } from "node:async_hooks";
import { LibvirtError } from "../../ffi/error.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import { messageOf } from "../../lib/text/message.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { failureKind } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import type { ActivityEntry } from "../store/activity.ts";
import { OperationRecords } from "./records.ts";
import type { Store } from "../store/store.ts";
import { Operation } from "./operation.ts";
import { t } from "./outcome.ts";
import { settle, type Settled } from "./settle.ts";
import type { SettlementServices } from "./settlement.ts";
import type { OperationRecord, OperationSpec } from "./operation_record.ts";
import { within } from "../within.ts";

/** Milliseconds somebody waits for what holds the same to be settled. */
const SETTLE_WAIT_MS = 15_000;
/** Milliseconds until an operation is tried again; the last one repeats. */
const RETRY_MS = [500, 1000, 2000, 5000, 10_000, 30_000];
/** Failed tries after which it is told that an operation cannot be settled yet. */
const TELL_AFTER = 4;
/** Milliseconds a call that did not answer in time is left to itself: libvirt may still carry it out. */
const OVERDUE_MS = 20_000;

/** An interrupted operation, until it is settled. */
interface Cut {
  readonly operation: Operation;
  tries: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  running: boolean;
  readonly over: PromiseWithResolvers<void>;
}

/** The world of the operations. */
export interface OperationsOptions {
  readonly store: Store;
  readonly jobs: Pick<Jobs, "settled">;
  readonly record: (entry: ActivityEntry) => void;
  /** Id of the host that is worked on. */
  readonly host: string;
  /** Its libvirt. */
  readonly link: { readonly uri: string; readonly status: { readonly connected: boolean } };
}

/** The text for each end. */
const ENDS = {
  finished: "operations.finished",
  begun: "operations.begun",
  undone: "operations.undone",
  untouched: "operations.untouched",
} as const satisfies Record<Settled["end"], string>;

/** Subject of an operation, for a message: a VM by its id. */
const subjectOf = ({ vmId, subject }: OperationRecord) =>
  vmId === undefined ? subject : vmName({ vmId, name: subject });

export class Operations {
  readonly #options: OperationsOptions;
  readonly #records: OperationRecords;
  readonly #running = new Set<string>();
  readonly #cut = new Map<string, Cut>();
  /** The operation that is settled, for what is called by that. */
  readonly #current = new AsyncLocalStorage<string>();
  #services: SettlementServices | undefined;
  #stopped = false;

  constructor(options: OperationsOptions) {
    this.#options = options;
    this.#records = new OperationRecords(options.store, (stored) => this.#takeUp(stored));
  }

  /** How many operations wait to be settled. */
  get unsettled(): number {
    return this.#cut.size;
  }

  /** How many are under way or wait to be settled. */
  get open(): number {
    return this.#running.size + this.#cut.size;
  }

  /** Gives what steps are settled with. Nothing is settled before. */
  settleWith(services: SettlementServices): void {
    this.#services = services;
  }

  /**
   * Carries work out as an operation.
   *
   * @throws errors of the work, after its steps were undone as far as that is possible now
   * @throws {ContractError} OperationUnsettled
   */
  async run<T>(spec: OperationSpec, work: (operation: Operation) => Promise<T>): Promise<T> {
    await this.ready(spec.keys);
    if (this.#current.getStore() !== undefined) return await work(this.#part(spec));
    const operation = this.begin(spec);
    try {
      const result = await work(operation);
      this.end(operation);
      return result;
    } catch (error) {
      await this.failed(operation, error);
      throw error;
    }
  }

  /**
   * Carries out work of which nothing stays: its steps are undone at its end, whether it succeeds or fails.
   *
   * @throws errors of the work @throws {ContractError} OperationUnsettled
   */
  async runAndUndo<T>(spec: OperationSpec, work: (operation: Operation) => Promise<T>): Promise<T> {
    await this.ready(spec.keys);
    const operation = this.begin(spec);
    let failure: unknown;
    try {
      return await work(operation);
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      await this.failed(operation, failure);
    }
  }

  /** Begins an operation whose end is told by whoever holds it. */
  begin({ command, subject, vmId, actor, keys }: OperationSpec): Operation {
    const id = crypto.randomUUID();
    this.#running.add(id);
    return this.#operation({
      id,
      command,
      subject,
      ...(vmId !== undefined && { vmId }),
      actor,
      keys,
      ...this.#where,
      startedAt: Date.now(),
      steps: [],
    });
  }

  get #where(): Pick<OperationRecord, "host" | "uri"> {
    return { host: this.#options.host, uri: this.#options.link.uri };
  }

  /** Work that settles an operation is part of that, and is retried with it. */
  #part(spec: OperationSpec): Operation {
    const record = { ...spec, id: "", ...this.#where, startedAt: Date.now(), steps: [] };
    return new Operation(record, () => {/* the operation that is settled is written down already */});
  }

  /** It is done: nothing of it is to be settled. */
  end(operation: Operation): void {
    const { id } = operation.record;
    operation.close();
    this.#running.delete(id);
    if (operation.isWritten) this.#records.remove(id);
  }

  /** It failed: takes back what it did, now, or as soon as libvirt answers. Never throws. */
  async failed(operation: Operation, error: unknown): Promise<void> {
    const kind = failureKind(error);
    if (operation.record.steps.length === 0) return this.end(operation);
    if (kind === undefined || kind === "libvirt") {
      operation.turnBack();
      if (await this.#settledNow(operation)) return this.end(operation);
    }
    this.#park(operation, kind === "timeout" ? OVERDUE_MS : RETRY_MS[0]!);
  }

  /**
   * Waits, a bounded time, until nothing that was cut short holds any of these.
   *
   * @throws {ContractError} OperationUnsettled
   */
  async ready(keys: readonly string[]): Promise<void> {
    const until = performance.now() + SETTLE_WAIT_MS;
    for (let cut = this.#holding(keys); cut !== undefined; cut = this.#holding(keys)) {
      const left = until - performance.now();
      if (left <= 0 || !this.#options.link.status.connected) {
        const { record } = cut.operation;
        throw new ContractError("OperationUnsettled", {
          subject: subjectOf(record),
          operation: record.command,
        });
      }
      await within(left, cut.over.promise);
    }
  }

  /** Settles what was cut short, as far as that can be done now: there is a connection, and the host was read. */
  async settle(): Promise<void> {
    this.#records.flush();
    await Promise.all([...this.#cut.values()].map((cut) => this.#try(cut)));
  }

  /** Tries nothing any more; what is left is settled by the next run of the process. */
  stop(): void {
    this.#stopped = true;
    this.#records.flush();
    for (const { timer } of this.#cut.values()) clearTimeout(timer);
    this.#records[Symbol.dispose]();
  }

  #operation(record: OperationRecord): Operation {
    return new Operation(record, (changed) => {
      if (!this.#records.save(changed)) {
        log.warn("a step could not be written down: it is known until the end of this process alone", {
          operation: changed.command,
          subject: changed.subject,
        });
      }
    });
  }

  /** Forgets what was cut short: its host was removed. */
  forget(): void {
    for (const { operation, over } of this.#cut.values()) {
      operation.close();
      over.resolve();
    }
    this.#cut.clear();
  }

  #holding(keys: readonly string[]): Cut | undefined {
    if (this.#cut.size === 0) return undefined;
    const current = this.#current.getStore();
    return [...this.#cut.values()].find(({ operation: { record } }) =>
      record.id !== current && record.keys.some((key) => keys.includes(key))
    );
  }

  /** Takes up what an earlier run has left. */
  #takeUp(stored: readonly OperationRecord[]): void {
    for (const record of stored) {
      if (this.#running.has(record.id) || this.#cut.has(record.id)) continue;
      const { host, uri } = this.#where;
      if (record.host !== host || record.uri !== uri) continue;
      const operation = this.#operation({
        ...record,
        cut: record.cut ?? { at: Date.now(), cause: "process" },
      });
      this.#add(operation);
    }
  }

  #add(operation: Operation): Cut {
    const cut: Cut = {
      operation,
      tries: 0,
      timer: undefined,
      running: false,
      over: Promise.withResolvers<void>(),
    };
    this.#cut.set(operation.record.id, cut);
    return cut;
  }

  /** Keeps an operation for later. Without a connection, the next one settles it. */
  #park(operation: Operation, pause: number): void {
    operation.cut("link", Date.now());
    this.#running.delete(operation.record.id);
    this.#later(this.#add(operation), pause);
  }

  #later(cut: Cut, pause: number): void {
    if (this.#stopped) return;
    clearTimeout(cut.timer);
    cut.timer = setTimeout(() => void this.#try(cut), pause);
  }

  /** Takes an operation back while its caller waits. @returns whether nothing of it is left to settle */
  async #settledNow(operation: Operation): Promise<boolean> {
    if (this.#services === undefined) return false;
    try {
      const { notes } = await settle(operation, this.#services);
      log.debug("what a failed operation had made was taken back", { notes });
      return true;
    } catch (error) {
      log.warn("what a failed operation had made cannot be taken back yet", {
        operation: operation.record.command,
        subject: operation.record.subject,
        error,
      });
      return false;
    }
  }

  async #try(cut: Cut): Promise<void> {
    const { operation } = cut;
    const services = this.#services;
    const isUp = this.#options.link.status.connected && services?.vms.inventory.filled;
    if (this.#stopped || cut.running || !isUp || !services) return;
    cut.running = true;
    clearTimeout(cut.timer);
    try {
      const settled = await this.#current.run(operation.record.id, () => settle(operation, services));
      operation.close();
      this.#cut.delete(operation.record.id);
      this.#records.remove(operation.record.id);
      this.#tell(operation.record, settled);
      cut.over.resolve();
    } catch (error) {
      // Without libvirt nothing can be tried; the next connection is the next try.
      if (this.#options.link.status.connected || !(error instanceof LibvirtError)) this.#retry(cut, error);
    } finally {
      cut.running = false;
    }
  }

  #retry(cut: Cut, error: unknown): void {
    const { record } = cut.operation;
    log.warn("what was cut short cannot be settled yet", {
      operation: record.command,
      subject: record.subject,
      error,
    });
    if (++cut.tries === TELL_AFTER) {
      this.#say(record, "error", t("operations.waits", { cause: causeOf(record), reason: messageOf(error) }));
    }
    this.#later(cut, RETRY_MS[Math.min(cut.tries, RETRY_MS.length) - 1]!);
  }

  #tell(record: OperationRecord, { end, notes }: Settled): void {
    const text = [t(ENDS[end], { cause: causeOf(record) }), ...notes].join(" ");
    log.info("settled what was cut short", {
      operation: record.command,
      subject: record.subject,
      end,
      notes,
    });
    this.#say(record, end === "finished" ? "ok" : "error", text);
  }

  #say(
    operation: OperationRecord,
    result: "ok" | "error",
    text: Sentence,
  ): void {
    const { command, subject, vmId, actor, jobId } = operation;
    const { record, jobs } = this.#options;
    record({
      actor,
      door: "agent",
      action: command,
      result,
      message: message`${subjectOf(operation)}: ${text}`,
      ...(vmId !== undefined && { vmId, vmName: subject }),
    });
    if (jobId !== undefined) jobs.settled(jobId, text);
  }
}

const causeOf = ({ cut }: OperationRecord): string =>
  t(cut?.cause === "process" ? "operations.cause_process" : "operations.cause_link");
