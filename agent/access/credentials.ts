/** Sessions and API tokens: what shows at each request who somebody is. */
import { DAY_MS, HOUR_MS } from "../../lib/duration.ts";
import { Buffer } from "node:buffer";
import type { Rights } from "../../lib/access/rights.ts";
import { ContractError, type Grant, type Session, type Token } from "../../lib/contract/mod.ts";
import type { Records } from "../store/records.ts";
import type { Accounts } from "./accounts.ts";
import { type Clock, elapsed, momentOf } from "../clock.ts";
import {
  type SessionRecord,
  shownSession,
  shownToken,
  type TokenRecord,
  type UserRecord,
} from "./records.ts";
import { newSecret, secretHash } from "./secret.ts";

/** Milliseconds a session lives: without any request, and at all. */
export const SESSION_MS = { idle: 8 * HOUR_MS, absolute: 7 * DAY_MS } as const;
/** Of one user; the oldest ends when there are more. */
const MOST_SESSIONS = 50;
const MOST_TOKENS = 200;
/** How a token begins: secret scanners, and people, know it for one. */
export const TOKEN_PREFIX = "kvmm_";

/** Owner of a secret, and their rights. */
export interface Holder {
  readonly user: UserRecord;
  readonly rights: Rights;
  /** Of exactly this session or token. */
  readonly holder: string;
  readonly ended: AbortSignal;
}

export class Credentials {
  readonly #records: Records;
  readonly #live = new Map<string, { userId: string; abort: AbortController; open: number }>();

  constructor(private readonly accounts: Accounts, private readonly clock: Clock) {
    this.#records = accounts.records;
  }

  get #sessions(): ReadonlyMap<string, SessionRecord> {
    return this.#records.of<SessionRecord>("session");
  }
  get #tokens(): ReadonlyMap<string, TokenRecord> {
    return this.#records.of<TokenRecord>("token");
  }

  /** Begins a session; gives its secret. What is written with it is one step. @throws {ContractError} StoreUnavailable */
  begin(user: UserRecord, { address, client }: Pick<SessionRecord, "address" | "client">): string {
    const secret = newSecret();
    const now = momentOf(this.clock);
    const record: SessionRecord = {
      id: crypto.randomUUID(),
      userId: user.id,
      begun: now,
      used: now,
      address,
      client: client.slice(0, 200),
    };
    const theirs = [...this.#sessions].filter(([, { userId }]) => userId === user.id)
      .sort(([, a], [, b]) => a.used.wall - b.used.wall);
    const tooMany = theirs.slice(0, Math.max(0, theirs.length + 1 - MOST_SESSIONS));
    this.accounts.save({ ...user, lastSignInAt: now.wall }, [
      ...tooMany.map(([key]) => ({ kind: "session", key, record: null })),
      { kind: "session", key: secretHash(secret), record },
    ]);
    for (const [, { id }] of tooMany) this.#end(`session:${id}`);
    return secret;
  }

  /** Holder of a session's secret; undefined if the session does not exist (any more). */
  session(secret: string, address: string): Holder | undefined {
    const key = secretHash(secret);
    const record = this.#sessions.get(key);
    if (!record) return undefined;
    const user = this.accounts.users.get(record.userId);
    if (!user || !this.accounts.isOpen(user) || this.#isOver(record)) return undefined;
    const used = momentOf(this.clock);
    // Written some time later: a session's use is no reason to wait for a disk.
    if (elapsed(record.used, used) > 1000) this.#records.note("session", key, { ...record, used, address });
    return {
      user,
      rights: this.accounts.rightsOf(user),
      ...this.#alive("session", record.id, user.id),
    };
  }

  /**
   * Holder of an API token; undefined if the token does not exist (any more). It may do what its owner may,
   * too.
   */
  token(secret: string, address: string): Holder | undefined {
    if (!secret.startsWith(TOKEN_PREFIX)) return undefined;
    const key = secretHash(secret);
    const record = this.#tokens.get(key);
    if (!record) return undefined;
    const holder = this.#holderOf(record), now = momentOf(this.clock);
    if (holder !== undefined && now.wall - (record.lastUsedAt ?? 0) > 1000) {
      this.#records.note("token", key, { ...record, lastUsedAt: now.wall, lastUsedFrom: address });
    }
    return holder;
  }

  /**
   * Holder of a token, by its id; undefined if it does not exist any more. The token was not shown, so it
   * does not count as used.
   */
  tokenById(tokenId: string): Holder | undefined {
    for (const record of this.#tokens.values()) if (record.id === tokenId) return this.#holderOf(record);
  }

  #holderOf({ id, userId, begun, livesMs, grants }: TokenRecord): Holder | undefined {
    const user = this.accounts.users.get(userId);
    if (!user || !this.accounts.isOpen(user) || this.#isExpired({ begun, livesMs })) return undefined;
    const rights = [...this.accounts.rightsOf(user), this.accounts.layer(grants)];
    return { user, rights, ...this.#alive("token", id, user.id) };
  }

  /** Sessions, the last used first. @param userId of one user alone */
  sessions(current: string, userId?: string): Session[] {
    this.#records.require();
    return [...this.#sessions.values()]
      .filter((each) => (userId === undefined || each.userId === userId) && !this.#isOver(each))
      .sort((a, b) => b.used.wall - a.used.wall)
      .map((each) =>
        shownSession(each, {
          userName: this.accounts.users.get(each.userId)?.name ?? "",
          current: `session:${each.id}` === current,
          endsAt: Math.min(each.begun.wall + SESSION_MS.absolute, each.used.wall + SESSION_MS.idle),
        })
      );
  }

  /**
   * Ends a session. @param userId required owner; any user's session if left out @throws {ContractError}
   * SessionNotFound
   */
  endSession(sessionId: string, userId?: string): void {
    const found = [...this.#sessions].find(([, { id }]) => id === sessionId);
    if (!found || (userId !== undefined && found[1].userId !== userId)) {
      throw new ContractError("SessionNotFound", { sessionId });
    }
    this.#records.commit([{ kind: "session", key: found[0], record: null }]);
    this.#end(`session:${sessionId}`);
  }

  /** Ends a user's sessions, but one. @throws {ContractError} StoreUnavailable */
  endSessions(userId: string, except = ""): void {
    const theirs = [...this.#sessions].filter(([, each]) =>
      each.userId === userId && `session:${each.id}` !== except
    );
    this.#records.commit(theirs.map(([key]) => ({ kind: "session", key, record: null })));
    for (const [, { id }] of theirs) this.#end(`session:${id}`);
  }

  /** Ends a user's tokens. @throws {ContractError} StoreUnavailable */
  endTokens(userId: string): void {
    const theirs = [...this.#tokens].filter(([, each]) => each.userId === userId);
    this.#records.commit(theirs.map(([key]) => ({ kind: "token", key, record: null })));
    for (const [, { id }] of theirs) this.#end(`token:${id}`);
  }

  tokens(userId?: string): Token[] {
    this.#records.require();
    return [...this.#tokens.values()]
      .filter((each) => userId === undefined || each.userId === userId)
      .map((each) => shownToken(each, this.accounts.users.get(each.userId)?.name ?? ""))
      .sort((a, b) => a.name.localeCompare(b.name));
  }

  /** Makes a token; its secret is given this once. @throws {ContractError} TooManyRequests, StoreUnavailable */
  makeToken(
    user: UserRecord,
    name: string,
    grants: readonly Grant[],
    days: number,
  ): { token: string; info: Token } {
    this.#records.require();
    this.accounts.requireRoles(grants);
    if ([...this.#tokens.values()].filter(({ userId }) => userId === user.id).length >= MOST_TOKENS) {
      throw new ContractError("TooManyRequests", { what: "API tokens of one user", limit: MOST_TOKENS });
    }
    const token = TOKEN_PREFIX + newSecret();
    const record: TokenRecord = {
      id: crypto.randomUUID(),
      name,
      userId: user.id,
      grants,
      begun: momentOf(this.clock),
      livesMs: days * DAY_MS,
      lastUsedAt: null,
      lastUsedFrom: null,
    };
    this.#records.commit([{ kind: "token", key: secretHash(token), record }]);
    return { token, info: shownToken(record, user.name) };
  }

  /**
   * @param userId required owner; any user's token if left out @throws {ContractError} TokenNotFound,
   *   StoreUnavailable
   */
  endToken(tokenId: string, userId?: string): void {
    const found = [...this.#tokens].find(([, { id }]) => id === tokenId);
    if (!found || (userId !== undefined && found[1].userId !== userId)) {
      throw new ContractError("TokenNotFound", { tokenId });
    }
    this.#records.commit([{ kind: "token", key: found[0], record: null }]);
    this.#end(`token:${tokenId}`);
  }

  /**
   * Ends the open connections of these users (event streams, consoles); their sessions continue if they still
   * may.
   */
  interrupt(userIds: readonly string[]): void {
    for (const [holder, { userId }] of [...this.#live]) if (userIds.includes(userId)) this.#end(holder);
  }

  /** Something of a session stays open: until it is given back, once or more often, the session counts as used. */
  hold(holder: string): Disposable {
    const live = this.#live.get(holder);
    if (live) live.open++;
    let isOpen = true;
    return {
      [Symbol.dispose]: () => {
        if (live && isOpen) live.open--;
        isOpen = false;
      },
    };
  }

  /** Counts open connections as use of their sessions, up to the session's absolute end. */
  #useOpen(): void {
    const used = momentOf(this.clock);
    for (const [key, record] of this.#sessions) {
      const isOpen = (this.#live.get(`session:${record.id}`)?.open ?? 0) > 0;
      if (isOpen && !this.#isOver(record)) this.#records.note("session", key, { ...record, used });
    }
  }

  /** Ends what is over, and writes what was noted. Now and then. */
  tidy(): void {
    this.#useOpen();
    const over = [...this.#sessions].filter(([, each]) => this.#isOver(each));
    for (const [, { id }] of over) this.#end(`session:${id}`);
    const expired = [...this.#tokens].filter(([, each]) => this.#isExpired(each));
    // An expired token stays in the list for its owner to see; what lived by it ends.
    for (const [, { id }] of expired) this.#end(`token:${id}`);
    if (over.length > 0 && this.#records.isLoaded) {
      this.#records.commit(over.map(([key]) => ({ kind: "session", key, record: null })));
    }
    this.#records.flush();
  }

  #isExpired({ begun, livesMs }: Pick<TokenRecord, "begun" | "livesMs">): boolean {
    return elapsed(begun, momentOf(this.clock)) >= livesMs;
  }

  #isOver({ begun, used }: SessionRecord): boolean {
    const now = momentOf(this.clock);
    return elapsed(begun, now) >= SESSION_MS.absolute || elapsed(used, now) >= SESSION_MS.idle;
  }

  #alive(kind: "session" | "token", id: string, userId: string): { holder: string; ended: AbortSignal } {
    const holder = `${kind}:${id}`;
    let live = this.#live.get(holder);
    if (!live) this.#live.set(holder, live = { userId, abort: new AbortController(), open: 0 });
    return { holder, ended: live.abort.signal };
  }

  #end(holder: string): void {
    this.#live.get(holder)?.abort.abort();
    this.#live.delete(holder);
  }
}

/** The token of an Authorization header; undefined without one. @throws {ContractError} TokenInvalid for another scheme */
export function bearerOf(headers: Headers): string | undefined {
  const header = headers.get("authorization");
  if (header === null) return undefined;
  const [, token] = /^Bearer ([\w.~+/=-]{1,256})$/i.exec(header) ?? [];
  if (token === undefined || Buffer.byteLength(header) > 512) throw new ContractError("TokenInvalid");
  return token;
}
