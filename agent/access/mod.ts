/** Access as a whole: who somebody is, told from a request, and everything that decides on it. */
import { ALL_RIGHTS } from "../../lib/access/rights.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import { isShared, Rate, REQUEST_RATE } from "../limits.ts";
import {
  type Door,
  nobody,
  type Principal,
  principalOf,
  type SocketPeer,
  socketPrincipal,
  type Via,
} from "../access.ts";
import { Records } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import { Accounts } from "./accounts.ts";
import { type Clock, SYSTEM_CLOCK } from "../clock.ts";
import { cookieFor, deviceCookie, deviceIn, type Reached, sessionIn } from "./cookie.ts";
import { bearerOf, Credentials, type Holder } from "./credentials.ts";
import { PasswordHashes } from "./hashing.ts";
import type { HostAccountsAsked } from "./host_accounts.ts";
import { PEER_TOKEN } from "../../lib/host/link_protocol.ts";
import { Passkeys } from "./passkeys.ts";
import { Confirmations } from "./confirmations.ts";
import { Setup } from "./setup.ts";
import { SignIn } from "./sign_in.ts";

/** A request, as far as it tells who makes it. */
export interface Caller {
  readonly door: Door;
  /** IP address of the other end; empty at the socket. */
  readonly address: string;
  /** At the socket: who it is. Without it every caller is refused there. */
  readonly peer?: SocketPeer | undefined;
  /** Finds out which user of this host is at the other end; asked of who calls from loopback. */
  readonly localUser?: () => number | undefined;
  /** Told once a session or a token has shown who it is, so that the door keeps their connection. */
  readonly signedIn?: () => void;
}

/** Lets KVM Managers in that act on this host. */
export interface PeerAccess {
  /** Principal of a call by such a token. @throws {ContractError} TokenInvalid, InvalidInput, TooManyRequests */
  principal(token: string, headers: Headers, about: Partial<Principal> & Pick<Principal, "door">): Principal;
}

/** Door of a call with a session: a page's script calls the API, and only browsers have sessions. */
const byBrowser = <About extends { readonly door: Door }>(about: About): About =>
  about.door === "api" ? { ...about, door: "page" } : about;

const NO_PEERS: PeerAccess = {
  principal: () => {
    throw new ContractError("TokenInvalid");
  },
};

export class Access {
  readonly accounts: Accounts;
  readonly credentials: Credentials;
  readonly passkeys: Passkeys;
  readonly signIn: SignIn;
  readonly setup: Setup;
  readonly confirmations: Confirmations;
  /** KVM Managers that may act on this host; the application gives them. */
  peers = NO_PEERS;
  readonly #records: Records;
  /** Of accounts' sessions, of tokens, of users of this host: whoever has many addresses has no more. */
  readonly #rate: Rate;

  /**
   * @param isDemo whether nothing real is served: every visitor is let in
   * @param clock tests bring their own
   * @param hostAccounts if accounts of this host sign in, too
   * @param hashes of passwords; tests bring cheap ones
   */
  constructor(
    store: Store,
    readonly isDemo: boolean,
    readonly clock: Clock = SYSTEM_CLOCK,
    private readonly hostAccounts: HostAccountsAsked | null = null,
    hashes = new PasswordHashes(),
  ) {
    this.#records = new Records(store, () => this.#reloaded());
    const interrupt = (userIds: readonly string[]) => this.credentials.interrupt(userIds);
    this.accounts = new Accounts(this.#records, interrupt, clock, hashes, hostAccounts !== null);
    this.credentials = new Credentials(this.accounts, clock);
    this.passkeys = new Passkeys(clock);
    this.signIn = new SignIn(this.accounts, this.credentials, this.passkeys, hostAccounts, clock, hashes);
    this.setup = new Setup(clock);
    this.confirmations = new Confirmations(clock);
    this.#rate = new Rate(undefined, clock);
  }

  /**
   * Identifies the principal of a request.
   *
   * @param keep takes the Set-Cookie header of an answer; missing if there is none
   * @throws {ContractError} TooManyRequests; TokenInvalid for an API token that does not exist (any more): it
   *   must not pass for an anonymous call
   */
  identify(request: Request, caller: Caller, keep?: (cookie: string) => void): Principal {
    const { door, address, peer, signedIn, localUser } = caller;
    if (door === "socket") return peer === undefined ? nobody("socket") : socketPrincipal(peer);
    const { headers } = request;
    const url = new URL(request.url);
    const reached: Reached = { secure: url.protocol === "https:", port: url.port };
    const device = deviceIn(headers, reached);
    const about = {
      door,
      address,
      origin: url.origin,
      client: headers.get("user-agent")?.slice(0, 200) ?? "",
      ...(device !== undefined && { device }),
      ...(localUser !== undefined && { localUser }),
      ...(keep !== undefined && {
        keepSession: (secret: string | null) => keep(cookieFor(secret, reached)),
        keepDevice: (secret: string) => keep(deviceCookie(secret, reached)),
      }),
    };
    const bearer = bearerOf(headers);
    if (bearer?.startsWith(PEER_TOKEN)) {
      const peer = this.peers.principal(bearer, headers, { door, address, origin: url.origin });
      signedIn?.();
      return peer;
    }
    if (bearer !== undefined) {
      const holder = this.credentials.token(bearer, address);
      if (!holder) throw new ContractError("TokenInvalid");
      signedIn?.();
      return this.#somebody("token", holder, about);
    }
    const secret = sessionIn(headers, reached);
    const holder = secret === undefined ? undefined : this.credentials.session(secret, address);
    if (holder) {
      signedIn?.();
      return this.#somebody("session", holder, byBrowser(about));
    }
    if (this.isDemo) {
      const known = headers.has("sec-fetch-site") ? byBrowser(about) : about;
      return principalOf({ name: "demo", via: "demo", rights: ALL_RIGHTS, holder: "demo", ...known });
    }
    // Other addresses are counted by their listener. Who is here is told by the kernel.
    if (isShared(address)) this.#count(`uid ${localUser?.() ?? "unknown"}`, "requests without sign-in");
    return nobody(door, about);
  }

  /** Whether no account can sign in yet: a setup link is needed. Undefined while the database cannot tell. */
  get needsSetup(): boolean | undefined {
    const has = this.accounts.hasAdministrator;
    return has === undefined ? undefined : !has && !this.isDemo;
  }

  /**
   * Whether no account at all can sign in: no user has a password, and accounts of the host are not taken. False while the
   * database cannot tell.
   */
  get isEmpty(): boolean {
    return this.accounts.hasPasswords === false && this.hostAccounts === null && !this.isDemo;
  }

  #somebody(
    via: Via,
    { user, rights, holder, ended }: Holder,
    about: Partial<Principal> & Pick<Principal, "door">,
  ): Principal {
    // A program that goes wild takes nothing from its owner's pages, nor from another program.
    if (via === "token") this.#count(holder, "requests with this API token");
    else this.#count(user.id, "requests of this account");
    const hold = () => this.credentials.hold(holder);
    const { name, id: userId, createdAt: since } = user;
    return principalOf({ name, userId, since, via, rights, holder, ended, hold, ...about });
  }

  /** Counts a request, from wherever it comes. @throws {ContractError} TooManyRequests */
  #count(who: string, what: string): void {
    if (this.#rate.take(who)) return;
    throw new ContractError("TooManyRequests", { what, limit: `${REQUEST_RATE.perSecond} a second` });
  }

  #reloaded(): void {
    // The first time before there are any.
    (this.accounts as Accounts | undefined)?.reloaded();
  }
}
