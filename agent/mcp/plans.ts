/** Plans of one session: each can be carried out once, for some minutes, by who made it, with exactly its input. */
import { createHash, randomBytes } from "node:crypto";
import type { CommandName } from "../../lib/contract/mod.ts";
import { PLAN_MINUTES } from "../../lib/mcp/protocol.ts";
import type { Clock } from "../clock.ts";

/** Milliseconds for which one holds. */
const HOLDS_MS = PLAN_MINUTES * 60_000;
/** Plans of a session that wait; beyond, the oldest is forgotten. */
const MOST_PLANS = 32;

/** A planned command. */
export interface Plan {
  readonly command: CommandName;
  readonly input: Readonly<Record<string, unknown>>;
  /** The host of the context that the call came from. */
  readonly on: string | undefined;
  /** Holder who made it. */
  readonly holder: string;
  /** Hash of the state that it is about, at that time. */
  readonly witness: string;
}

export class Plans {
  readonly #plans = new Map<string, { readonly plan: Plan; readonly until: number }>();

  constructor(private readonly sessionId: string, private readonly clock: Clock) {}

  /** Keeps a plan. @returns its digest */
  add(plan: Plan): string {
    const hash = createHash("sha256").update(randomBytes(32));
    const digest = hash.update(JSON.stringify([this.sessionId, plan])).digest("hex");
    this.#plans.set(digest, { plan, until: this.clock.monotonic() + HOLDS_MS });
    if (this.#plans.size > MOST_PLANS) this.#plans.delete(this.#plans.keys().next().value!);
    return digest;
  }

  /** Takes a plan out: it is given out once. @returns undefined where there is none, or it is too old */
  take(digest: string, holder: string): Plan | undefined {
    const found = this.#plans.get(digest);
    if (found === undefined || found.plan.holder !== holder) return undefined;
    this.#plans.delete(digest);
    return found.until > this.clock.monotonic() ? found.plan : undefined;
  }
}
