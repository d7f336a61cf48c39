/** Messages that wait: what is to be told is gathered into few of them, by target. Sending is `delivery.ts`. */
import { ALERT_SEVERITIES, type AlertSeverity } from "../../lib/contract/mod.ts";
import type { Clock } from "../clock.ts";
import type { AlertRecords, MessageItem, WaitingMessage } from "./records.ts";

/** Milliseconds that a message waits for others to go with it. */
export const GATHER_MS = 10_000;
/** Milliseconds from one message of a target to the next: never a flood. */
export const PACE_MS = 60_000;
/** Items of a message that are told one by one, the newest: older ones would be the first to say nothing any more. */
export const MOST_ITEMS = 50;

const level = (severity: AlertSeverity) => ALERT_SEVERITIES.indexOf(severity);

export class Outbox {
  /** When something was sent to a target last. */
  readonly sentAt = new Map<string, number>();
  /** Messages that are being sent: nothing is added to them any more. */
  readonly sending = new Set<string>();

  constructor(private readonly records: AlertRecords, private readonly clock: Clock) {}

  /** The messages as they are once these items are in them: to be written, then kept. */
  plan(items: readonly MessageItem[]): WaitingMessage[] {
    if (items.length === 0) return [];
    const { targets, messages } = this.records, now = this.clock.now();
    return targets.all.flatMap((target) => {
      const own = items.filter(({ incident }) => level(incident.severity) >= level(target.minSeverity));
      if (!target.enabled || own.length === 0) return [];
      const waiting = messages.all.find(({ id, targetId }) =>
        targetId === target.id && !this.sending.has(id)
      );
      const base: WaitingMessage = waiting ?? {
        id: crypto.randomUUID(),
        targetId: target.id,
        items: [],
        more: 0,
        createdAt: now,
        tries: 0,
        nextAt: Math.max(now + GATHER_MS, (this.sentAt.get(target.id) ?? -Infinity) + PACE_MS),
      };
      const all = [...base.items, ...own.map((item) => ({ ...item, addedAt: now }))];
      return [{
        ...base,
        items: all.slice(-MOST_ITEMS),
        more: base.more + Math.max(0, all.length - MOST_ITEMS),
      }];
    });
  }
}

/**
 * A message without the items that were added too long ago; undefined if none is left. Items without a time
 * have that of the message.
 *
 * @param limit milliseconds
 */
export function withoutStale(
  message: WaitingMessage,
  now: number,
  limit: number,
): WaitingMessage | undefined {
  const { items, createdAt } = message;
  const fresh = items.filter(({ addedAt = createdAt }) => now - addedAt <= limit);
  if (fresh.length === items.length) return message;
  // What is only counted is older than what is not
  return fresh.length === 0 ? undefined : { ...message, items: fresh, more: 0 };
}
