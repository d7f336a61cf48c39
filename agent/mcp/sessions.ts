/** MCP sessions that are open: whose each is, and its end. */
import { randomUUID } from "node:crypto";
import type { McpSession } from "../../lib/contract/mod.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import { oneLine } from "../../lib/text/text.ts";
import { accountOf, type Principal } from "../access.ts";
import type { Clock } from "../clock.ts";
import { log } from "../log.ts";
import { Plans } from "./plans.ts";
import type { OpenSession } from "./server.ts";

/** Sessions of one account at once, and of all together: of more, one that is longest unused ends. */
const MOST_SESSIONS = { account: 16, all: 256 } as const;
/** Requests of a session that are answered at once. */
const MOST_AT_ONCE = 16;
/** Milliseconds after which a session that is not used ends. */
const IDLE_MS = 30 * 60_000;
/** Characters of a client's name, and of its version. */
const MOST_NAME = 64;
/** Characters of a session's id that are shown: the whole of it opens the session, together with its token. */
const SHOWN = 8;

/** A session. */
export interface ClientSession {
  readonly id: string;
  /** Its holder: exactly this token, or this user at the socket. */
  readonly holder: string;
  /** The program, as it calls itself. */
  readonly client: string;
  readonly plans: Plans;
  readonly open: OpenSession;
  /** Aborted once it has ended. */
  readonly ended: AbortSignal;
  /** Counts a request while it is answered. @throws {ContractError} TooManyRequests */
  use(): Disposable;
}

interface Kept extends ClientSession {
  readonly account: string;
  readonly principal: Principal;
  readonly abort: AbortController;
  readonly beganAt: number;
  readonly stopFollowing: () => void;
  lastUsedAt: number;
  /** By the monotonic clock. */
  usedAt: number;
  running: number;
  calls: number;
}

/** The name of a program, from what it says of itself. */
export function clientIn(info: unknown): string {
  const { name, version } = (typeof info === "object" && info !== null ? info : {}) as Record<
    string,
    unknown
  >;
  const words = [name, version].filter((each): each is string => typeof each === "string")
    .map((each) => oneLine(each, MOST_NAME).trim()).filter((each) => each !== "");
  return words.join(" ") || "unknown";
}

const closeSession = (open: OpenSession): void =>
  void open.close().catch((error) => log.warn("an MCP session did not end cleanly", { error }));

export class McpSessions {
  readonly #sessions = new Map<string, Kept>();

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.#sessions.size;
  }

  /**
   * Begins one for somebody; it ends once they may not any more.
   *
   * @throws {ContractError} TooManyRequests
   */
  async begin(
    principal: Principal,
    client: string,
    open: (id: string) => Promise<OpenSession>,
  ): Promise<ClientSession> {
    const account = accountOf(principal), id = randomUUID(), abort = new AbortController();
    const opened = await open(id);
    // Counted once it is open: of many that are opened at once, each would count those alone that were there before
    this.#makeRoom(account, opened);
    const end = () => this.end(id);
    const session: Kept = {
      id,
      client,
      account,
      principal,
      abort,
      ended: abort.signal,
      open: opened,
      holder: principal.holder,
      plans: new Plans(id, this.clock),
      beganAt: this.clock.now(),
      lastUsedAt: this.clock.now(),
      usedAt: this.clock.monotonic(),
      running: 0,
      calls: 0,
      stopFollowing: () => principal.ended.removeEventListener("abort", end),
      use: () => this.#use(session),
    };
    this.#sessions.set(id, session);
    principal.ended.addEventListener("abort", end);
    if (principal.ended.aborted) end();
    return session;
  }

  /**
   * Ends what an account has unused for longest, so that it may have another session. Where all together are too many, the account
   * that has the most gives one: some accounts with all that they may have keep no other account out.
   *
   * @throws {ContractError} TooManyRequests
   */
  #makeRoom(account: string, opened: OpenSession): void {
    const ofAccounts = Map.groupBy(
      [...this.#sessions.values()].toSorted((a, b) => a.usedAt - b.usedAt),
      (each) => each.account,
    );
    const theirs = ofAccounts.get(account) ?? [];
    for (const { id } of theirs.slice(0, Math.max(0, theirs.length + 1 - MOST_SESSIONS.account))) {
      this.end(id);
    }
    if (this.#sessions.size < MOST_SESSIONS.all) return;
    const most = [...ofAccounts.values()].reduce((a, b) => b.length > a.length ? b : a);
    if (most.length > theirs.length + 1) return this.end(most[0]!.id);
    closeSession(opened);
    throw new ContractError("TooManyRequests", { what: "MCP sessions", limit: MOST_SESSIONS.all });
  }

  #use(session: Kept): Disposable {
    if (session.running >= MOST_AT_ONCE) {
      throw new ContractError("TooManyRequests", {
        what: "requests of this MCP session",
        limit: MOST_AT_ONCE,
      });
    }
    session.running++;
    session.calls++;
    session.lastUsedAt = this.clock.now();
    session.usedAt = this.clock.monotonic();
    return { [Symbol.dispose]: () => void session.running-- };
  }

  /** Somebody's session. Another's is as none. @throws {ContractError} McpSessionNotFound */
  of(id: string, { holder }: Pick<Principal, "holder">): ClientSession {
    const session = this.#sessions.get(id);
    if (session === undefined || session.holder !== holder) throw new ContractError("McpSessionNotFound");
    return session;
  }

  /** Ends one; what it has begun goes on as a task. */
  end(id: string): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    session.stopFollowing();
    session.abort.abort(new ContractError("McpSessionNotFound"));
    closeSession(session.open);
  }

  endAll(): void {
    for (const id of [...this.#sessions.keys()]) this.end(id);
  }

  /** Ends those that were unused for long. */
  tidy(): void {
    const now = this.clock.monotonic();
    for (const { id, usedAt, running } of [...this.#sessions.values()]) {
      if (running === 0 && now - usedAt > IDLE_MS) this.end(id);
    }
  }

  list(): McpSession[] {
    return [...this.#sessions.values()].map(({ id, principal, client, beganAt, lastUsedAt, calls }) => ({
      id: id.slice(0, SHOWN),
      actor: principal.name,
      client,
      address: principal.address || null,
      beganAt,
      lastUsedAt,
      calls,
    }));
  }
}
