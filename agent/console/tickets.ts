/** Tickets for consoles: knowing a machine's id opens nothing, and what was overheard once is worth nothing later. */
import { Buffer } from "node:buffer";
import { type ConsoleKind, ContractError } from "../../lib/contract/mod.ts";

/** What a ticket allows. */
export interface Grant {
  readonly vmId: string;
  readonly kind: ConsoleKind;
  readonly viewOnly: boolean;
  /** Takes the serial line from another. */
  readonly force: boolean;
  /** The session or token it was asked for with: the only one that may use it. */
  readonly holder: string;
}

/** Milliseconds a ticket is good for. */
export const TICKET_MS = 30_000;
/** Unused tickets at once. */
const MOST_TICKETS = 256;

export class Tickets {
  readonly #grants = new Map<string, { grant: Grant; expiresAt: number }>();

  /** @param now a monotonic clock in milliseconds: tests move it */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Makes a ticket. @throws {ContractError} TooManyRequests */
  issue(grant: Grant): string {
    this.#forgetExpired();
    if (this.#grants.size >= MOST_TICKETS) {
      throw new ContractError("TooManyRequests", { what: "console tickets", limit: MOST_TICKETS });
    }
    const ticket = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
    this.#grants.set(ticket, { grant, expiresAt: this.now() + TICKET_MS });
    return ticket;
  }

  /**
   * Takes a ticket in: whatever comes of it, it is used up.
   *
   * @param wanted what it is shown for
   * @throws {ContractError} ConsoleTicket when it is unknown, used, expired, or for something or someone else
   */
  redeem(ticket: string, wanted: Pick<Grant, "vmId" | "kind" | "holder">): Grant {
    const found = this.#grants.get(ticket);
    this.#grants.delete(ticket);
    const fits = found !== undefined && this.now() < found.expiresAt &&
      found.grant.vmId === wanted.vmId && found.grant.kind === wanted.kind &&
      found.grant.holder === wanted.holder;
    if (!fits) throw new ContractError("ConsoleTicket");
    return found.grant;
  }

  #forgetExpired(): void {
    const now = this.now();
    // Oldest first: Map keeps the order of insertion, and all live equally long.
    for (const [ticket, { expiresAt }] of this.#grants) {
      if (now < expiresAt) return;
      this.#grants.delete(ticket);
    }
  }
}
