/** Events of one host: each says which host it is about, unless that is the local one. */
import type { EventName } from "../../lib/contract/events.ts";
import { hostField } from "../../lib/contract/on_host.ts";
import type { EventHub, Published, PublishedData } from "../events/hub.ts";

/** Events whose data name a VM or a job, which are unique: they need no host. */
const UNIQUE: ReadonlySet<EventName> = new Set([
  "vm-state-changed",
  "vm-created",
  "vm-updated",
  "vm-deleted",
  "vm-stats-updated",
  "activity",
  "job-changed",
  "job-progress",
]);

export class HostEvents {
  readonly #field: { readonly host?: string };

  constructor(readonly hub: EventHub, id: string) {
    this.#field = hostField(id);
  }

  /** How many clients listen. */
  get listeners(): number {
    return this.hub.listeners;
  }

  publish<N extends EventName>(name: N, data: PublishedData<N>): void {
    this.publishAll([[name, data] as unknown as Published]);
  }

  /** Publishes several events as one write to each client. */
  publishAll(events: readonly Published[]): void {
    if (this.#field.host === undefined) return this.hub.publishAll(events);
    const named = events.map(([name, data]) => [name, UNIQUE.has(name) ? data : { ...data, ...this.#field }]);
    this.hub.publishAll(named as unknown as Published[]);
  }

  /** Tells a part of the agent of every event of this host, until disposed. */
  follow(follower: (events: readonly Published[]) => void): Disposable {
    return this.hub.follow((events) => {
      const own = events.filter(([name, data]) =>
        UNIQUE.has(name) || (data as { host?: string }).host === this.#field.host
      );
      if (own.length > 0) follower(own);
    });
  }
}
