/** Tickets for consoles: knowing a VM's id opens nothing, and what was overheard once is worth nothing later. */
import { Buffer } from "node:buffer";
import { type ConsoleKind, ContractError } from "../../lib/contract/mod.ts";
import { type Clock, SYSTEM_CLOCK } from "../clock.ts";

/** Permissions of a ticket. */
export interface TicketGrant {
  readonly vmId: string;
  readonly kind: ConsoleKind;
  readonly viewOnly: boolean;
  /** Takes the serial line from another. */
  readonly force: boolean;
  /** libvirt's name of the serial line; undefined for the first. */
  readonly line?: string | undefined;
  /** The ticket of the linked host that the VM is on. */
  readonly far?: string | undefined;
  /** The session or token it was asked for with: the only one that may use it. */
  readonly holder: string;
}

/** Milliseconds a ticket is good for. */
export const TICKET_MS = 30_000;
/** Unused tickets of one account; beyond, its oldest is worth nothing any more. */
const MOST_OF_ONE = 32;
/** Unused tickets at once: of three hundred accounts that all have as many as they may. */
const MOST_TICKETS = 10_000;

export class Tickets {
  /** Tickets of each account, the oldest first. */
  readonly #ofAccount = new Map<string, Set<string>>();
  /** The oldest first. */
  readonly #grants = new Map<string, { grant: TicketGrant; account: string; expiresAt: number }>();

  constructor(private readonly clock: Clock = SYSTEM_CLOCK) {}

  /**
   * Makes a ticket.
   *
   * @param account account whose quota it counts for, over all its sessions and tokens
   * @throws {ContractError} TooManyRequests
   */
  issue(grant: TicketGrant, account: string): string {
    this.#forgetExpired();
    const theirs = this.#ofAccount.get(account) ?? new Set();
    for (const oldest of theirs) {
      if (theirs.size < MOST_OF_ONE) break;
      this.#forget(oldest);
    }
    if (this.#grants.size >= MOST_TICKETS) {
      throw new ContractError("TooManyRequests", { what: "console tickets", limit: MOST_TICKETS });
    }
    const ticket = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
    this.#ofAccount.set(account, theirs.add(ticket));
    this.#grants.set(ticket, { grant, account, expiresAt: this.clock.monotonic() + TICKET_MS });
    return ticket;
  }

  /**
   * Takes a ticket in, which is used up in any case.
   *
   * @param wanted the console and the session that it is shown for
   * @throws {ContractError} ConsoleTicket when it is unknown, used, expired, or for another console or
   *   session
   */
  redeem(ticket: string, wanted: Pick<TicketGrant, "vmId" | "kind" | "holder">): TicketGrant {
    const found = this.#forget(ticket);
    const fits = found !== undefined && this.clock.monotonic() < found.expiresAt &&
      found.grant.vmId === wanted.vmId && found.grant.kind === wanted.kind &&
      found.grant.holder === wanted.holder;
    if (!fits) throw new ContractError("ConsoleTicket");
    return found.grant;
  }

  #forgetExpired(): void {
    const now = this.clock.monotonic();
    // Oldest first: Map keeps the order of insertion, and all live equally long.
    for (const [ticket, { expiresAt }] of this.#grants) {
      if (now < expiresAt) return;
      this.#forget(ticket);
    }
  }

  #forget(ticket: string): { grant: TicketGrant; expiresAt: number } | undefined {
    const found = this.#grants.get(ticket);
    if (found === undefined) return undefined;
    this.#grants.delete(ticket);
    const theirs = this.#ofAccount.get(found.account);
    theirs?.delete(ticket);
    if (theirs?.size === 0) this.#ofAccount.delete(found.account);
    return found;
  }
}
