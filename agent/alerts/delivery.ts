/**
 * Sends the messages that wait, each as a task with its result. What fails is tried again, later each time; a restart
 * goes on where it was. A message whose try was cut short is sent again with the same id: it may arrive twice, and is
 * never lost.
 */
import { ContractError } from "../../lib/contract/mod.ts";
import { alertText, testText } from "../../lib/alerts/text.ts";
import { messageOf } from "../../lib/text/message.ts";
import type { Clock } from "../clock.ts";
import { inLanguage } from "../i18n/request_locale.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { log } from "../log.ts";
import { NotDelivered } from "../outbound/post.ts";
import { send, type SendOptions } from "./channels.ts";
import { type Outbox, withoutStale } from "./outbox.ts";
import type { AlertRecords, AlertTargetRecord, WaitingMessage } from "./records.ts";
import { DAY_MS, HOUR_MS } from "../../lib/duration.ts";

/** Milliseconds until the next try, by how many there were; the last counts for all that follow. */
export const BACK_OFF_MS = [15_000, 60_000, 5 * 60_000, 15 * 60_000, HOUR_MS] as const;
/** Milliseconds after which what a message tells says nothing any more. */
export const STALE_MS = DAY_MS;
/** Messages that are sent at the same time. */
const AT_ONCE = 5;

/** Services for the delivery of messages: records, the outbox, jobs, the clock, host name, and language. */
export interface DeliveryWorld {
  readonly records: AlertRecords;
  readonly outbox: Outbox;
  readonly jobs: Pick<Jobs, "run">;
  readonly clock: Clock;
  readonly hostname: () => string;
  /** The language of messages: that of KVM Manager's own environment, since no request asks for them. */
  readonly language: () => string;
  readonly resolve?: SendOptions["resolve"];
}

/** How the last try of a target went. */
export interface TargetStatus {
  readonly lastSentAt?: number;
  readonly lastError?: string;
}

export class Delivery {
  readonly #world: DeliveryWorld;
  readonly #status = new Map<string, TargetStatus>();

  constructor(world: DeliveryWorld) {
    this.#world = world;
  }

  /** How the last try of a target went, since the start. */
  status(targetId: string): TargetStatus {
    return this.#status.get(targetId) ?? {};
  }

  /** Sends the messages that are due. @param stop aborted when KVM Manager stops: what is not sent then, waits */
  async run(stop: AbortSignal, isForced = false): Promise<void> {
    const { messages } = this.#world.records;
    const { sending } = this.#world.outbox, now = this.#world.clock.now();
    // One whose time is far off was put off by a clock that was set since
    const isDue = ({ id, nextAt }: WaitingMessage) =>
      !sending.has(id) && (isForced || nextAt <= now || nextAt > now + 2 * BACK_OFF_MS.at(-1)!);
    const due = messages.all.filter(isDue).map(({ id }) => id);
    while (due.length > 0 && !stop.aborted) {
      // As they are now: while others were sent, items were added to them
      const next = due.splice(0, AT_ONCE).map((id) => messages.get(id)).filter((each) => each !== undefined);
      await Promise.all(next.filter(isDue).map((message) => this.#send(message, stop)));
    }
  }

  async #send(message: WaitingMessage, stop: AbortSignal): Promise<void> {
    const { records, outbox, clock } = this.#world, { id, targetId } = message;
    const target = records.targets.get(targetId);
    if (target === undefined || !target.enabled) return this.#forget(id);
    outbox.sending.add(id);
    try {
      await this.#try(target, message, stop);
      outbox.sentAt.set(targetId, clock.now());
      this.#forget(id);
    } catch (error) {
      if (stop.aborted) return;
      const rest = isGivenUp(error) ? undefined : withoutStale(message, clock.now(), STALE_MS);
      const lost = countOf(message) - (rest === undefined ? 0 : countOf(rest));
      if (lost > 0) {
        const reason = messageOf(error);
        log.warn("messages about alerts were given up", { target: target.name, alerts: lost, reason });
      }
      if (rest === undefined) return this.#forget(id);
      const wait = BACK_OFF_MS[Math.min(message.tries, BACK_OFF_MS.length - 1)]!;
      this.#keep({ ...rest, tries: message.tries + 1, nextAt: clock.now() + wait });
    } finally {
      outbox.sending.delete(id);
    }
  }

  async #try(
    target: AlertTargetRecord,
    { id, items, more, tries }: WaitingMessage,
    stop: AbortSignal,
  ): Promise<void> {
    const { clock, hostname, language } = this.#world;
    const count = countOf({ items, more });
    const spec = {
      command: "deliver_alerts",
      title: `Send ${count} ${count === 1 ? "alert" : "alerts"} to ${target.name}${
        tries > 0 ? `, try ${tries + 1}` : ""
      }`,
      actor: "KVM Manager",
      ifInterrupted: "It is sent again by itself.",
    } as const;
    const text = await inLanguage(language(), () => alertText(items, more, hostname()));
    await this.#asTask(target, spec, { id, text, items, more, at: clock.now() }, stop);
  }

  /** Sends a message that is a test. @throws {ContractError} AlertNotDelivered, JobCancelled */
  async test(target: AlertTargetRecord, actor: string): Promise<void> {
    const { clock, hostname, language } = this.#world;
    const spec = {
      command: "test_alert_target",
      title: `Send a test message to ${target.name}`,
      actor,
      ifInterrupted: "Send another one.",
    } as const;
    const text = await inLanguage(language(), () => testText(hostname()));
    const message = { id: crypto.randomUUID(), text, items: [], more: 0, at: clock.now() };
    await this.#asTask(target, spec, message, new AbortController().signal);
  }

  async #asTask(
    target: AlertTargetRecord,
    spec: Parameters<Jobs["run"]>[0],
    message: Parameters<typeof send>[1],
    stop: AbortSignal,
  ): Promise<void> {
    const { jobs, clock, resolve } = this.#world;
    try {
      await jobs.run(spec, async (job) => {
        const signal = AbortSignal.any([job.signal, stop]);
        try {
          await send(target, message, { signal, ...(resolve && { resolve }) });
          job.log(`Delivered: ${message.text.title}`);
        } catch (error) {
          if (!(error instanceof NotDelivered)) throw error;
          throw new ContractError("AlertNotDelivered", { reason: error.message }, { cause: error });
        }
      });
      this.#status.set(target.id, { lastSentAt: clock.now() });
    } catch (error) {
      this.#status.set(target.id, { ...this.status(target.id), lastError: messageOf(error) });
      throw error;
    }
  }

  /** A message that cannot be written stays as it was in memory, too: it is sent once more rather than never. */
  #forget(id: string): void {
    const { records } = this.#world;
    records.write((database) => records.messages.erase(database, id));
    records.messages.forget(id);
  }

  #keep(message: WaitingMessage): void {
    const { records } = this.#world;
    records.write((database) => records.messages.write(database, message));
    records.messages.keep(message);
  }
}

/** How many alerts a message lists. */
const countOf = ({ items, more }: Pick<WaitingMessage, "items" | "more">) => items.length + more;

/** Whether another try changes nothing, or somebody has cancelled it. */
function isGivenUp(error: unknown): boolean {
  if (error instanceof ContractError && error.code === "JobCancelled") return true;
  const { cause } = error as { cause?: unknown };
  return cause instanceof NotDelivered && cause.isFinal;
}
