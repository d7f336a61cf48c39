/** The KVM Managers that may act on this host: how they are let in, for whom they call, and when that ends. */
import { layerOf, type Rights } from "../../../lib/access/rights.ts";
import { ContractError, type Role } from "../../../lib/contract/mod.ts";
import {
  clientStatement,
  type HelloAnswer,
  type Join,
  type LinkSession,
  type Open,
  PEER_TOKEN,
  serverStatement,
} from "../../../lib/host/link_protocol.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { VERSION } from "../../../lib/version.ts";
import { type Principal, principalOf } from "../../access.ts";
import type { LinkedUser } from "../../access/delegation.ts";
import type { Clock } from "../../clock.ts";
import { Rate, REQUEST_RATE } from "../../limits.ts";
import { isRenewalOf, isSignedBy, type LinkIdentity } from "./identity.ts";
import { Invitations } from "./invitations.ts";
import type { PeerRecord, PeerRecords } from "./peer_records.ts";
import { CALLER_HEADER, readCaller, type RemoteCaller } from "./remote_caller.ts";
import { newSecret, secretHash } from "../../access/secret.ts";
import { SignedChallenges } from "../../access/signed_challenges.ts";

/** Milliseconds a challenge is good for. */
const CHALLENGE_MS = 30_000;
/** Purpose of its challenges. */
const PURPOSE = "link";
/** Milliseconds a session holds. */
const SESSION_MS = 3600_000;
/** Requests of one peer, for however many users. */
const PEER_RATE = { perSecond: 10 * REQUEST_RATE.perSecond, burst: 10 * REQUEST_RATE.burst };
/** Characters of the name that a peer tells. */
const LONGEST_NAME = 64;
/** Sessions of one peer; beyond, its oldest ends. */
const MOST_SESSIONS = 8;

interface PeerSession {
  readonly peerId: string;
  /** Of the monotonic clock. */
  readonly endsAt: number;
}

export class Peers {
  readonly invitations: Invitations;
  readonly #challenges: SignedChallenges;
  /** By digest of the secret; the oldest first. */
  readonly #sessions = new Map<string, PeerSession>();
  /** Peer → what is aborted when it may act no more. */
  readonly #endings = new Map<string, AbortController>();
  /** Peer → when it called last, in milliseconds since 1970. */
  readonly #lastUsed = new Map<string, number>();
  /** Of peers' users. */
  readonly #rate: Rate;
  /** Of peers as a whole: the names of their users are what they say. */
  readonly #peerRate: Rate;

  constructor(
    readonly records: PeerRecords,
    readonly identity: LinkIdentity,
    private readonly clock: Clock,
  ) {
    this.invitations = new Invitations(clock);
    this.#challenges = new SignedChallenges(CHALLENGE_MS, clock);
    this.#rate = new Rate(undefined, clock);
    this.#peerRate = new Rate(PEER_RATE, clock);
  }

  /** When a peer called last, in milliseconds since 1970; undefined since the start for one that did not. */
  lastUsed(id: string): number | undefined {
    return this.#lastUsed.get(id);
  }

  /** Shows who we are. @param certificate SHA-256 of what the connection is encrypted for */
  async hello(challenge: string, certificate: string): Promise<HelloAnswer> {
    const identity = await this.identity.ready();
    return {
      publicKey: identity.publicKey,
      certificate,
      signature: identity.sign(serverStatement(certificate, challenge)),
      challenge: this.#challenges.issue(PURPOSE, certificate),
      renewals: [...identity.renewals],
    };
  }

  /** Lets one in that was invited. @throws {ContractError} InvitationRefused, LinkRefused, StoreUnavailable */
  async join(
    input: Join,
    certificate: string,
  ): Promise<LinkSession & { readonly peer: PeerRecord; readonly both: boolean }> {
    await this.#requireProof(input, certificate);
    const { role, by, both } = this.invitations.redeem(input.secret);
    const { publicKey } = input, before = this.#known(input), name = this.#freeName(input);
    if (before !== undefined) this.#end(before.id);
    const peer = { id: crypto.randomUUID(), name, publicKey, role, invitedBy: by, created: this.clock.now() };
    this.records.put(peer);
    return { ...this.#session(peer), peer, both };
  }

  /** Opens a session for one that is known. @throws {ContractError} LinkRefused */
  async open(input: Open, certificate: string): Promise<LinkSession> {
    await this.#requireProof(input, certificate);
    const peer = this.#known(input);
    if (peer === undefined) {
      throw new ContractError("LinkRefused", { reason: "it may not act on this host (any more)" });
    }
    return this.#session(peer);
  }

  /** Lets a peer act no more: what it has open ends at once. @throws {ContractError} PeerNotFound, StoreUnavailable */
  revoke(id: string): void {
    this.records.remove(id);
    this.#end(id);
  }

  /** Principal of a call by a peer's token: the peer's user, with at most the peer's rights. */
  principal(token: string, headers: Headers, about: Partial<Principal> & Pick<Principal, "door">): Principal {
    const session = this.#sessions.get(secretHash(token.slice(PEER_TOKEN.length)));
    const peer = session && this.records.all().find(({ id }) => id === session.peerId);
    if (peer === undefined || session!.endsAt <= this.clock.monotonic()) {
      throw new ContractError("TokenInvalid");
    }
    const tooMany = (what: string, { perSecond }: { readonly perSecond: number }) =>
      new ContractError("TooManyRequests", { what, limit: `${perSecond} a second` });
    if (!this.#peerRate.take(peer.id)) throw tooMany("requests of this linked KVM Manager", PEER_RATE);
    const said = headers.get(CALLER_HEADER), caller = readCaller(said);
    const name = `${caller?.name ?? ""}@${peer.name}`;
    if (!this.#rate.take(`${peer.id} ${name}`)) throw tooMany("requests of this linked user", REQUEST_RATE);
    this.#lastUsed.set(peer.id, this.clock.now());
    return principalOf({
      ...about,
      // The audit log has the program as the audit log of the KVM Manager that it speaks with
      ...(typeof caller?.mcp === "object" && { door: "mcp" as const, client: caller.mcp.client }),
      name,
      via: "link",
      ...userOf(peer, caller),
      link: { peerId: peer.id, caller: said },
      holder: `link:${peer.id}:${caller?.name ?? ""}`,
      ended: this.#ending(peer.id).signal,
    });
  }

  /** Permissions of a peer's user, as the peer sent them before; undefined for a peer that may not act any more. */
  linkedUser(peerId: string, caller: string | null): LinkedUser | undefined {
    const peer = this.records.all().find(({ id }) => id === peerId);
    return peer && userOf(peer, readCaller(caller));
  }

  /** The name that a peer tells, as text of one line. Another peer's is another one: the audit log knows them by it. */
  #freeName({ name, publicKey }: Join): string {
    const told = oneLine(name, LONGEST_NAME);
    const others = this.records.all().filter((each) => each.publicKey !== publicKey);
    const taken = new Set(others.map((each) => each.name));
    let free = told;
    for (let count = 2; taken.has(free); count++) free = `${told} (${count})`;
    return free;
  }

  /** The peer that has a key, or had one before that this key took the place of: it is known by this one from then on. */
  #known({ publicKey, renewals = [] }: Open): PeerRecord | undefined {
    const known = this.records.withKey(publicKey);
    if (known !== undefined) return known;
    const before = this.records.all().find((peer) => isRenewalOf(peer.publicKey, publicKey, renewals));
    if (before === undefined) return undefined;
    const peer = { ...before, publicKey };
    this.records.put(peer);
    return peer;
  }

  /** @throws {ContractError} LinkRefused where somebody does not have the key that they say is theirs */
  async #requireProof({ publicKey, challenge, signature }: Open, certificate: string): Promise<void> {
    const identity = await this.identity.ready();
    const isFresh = this.#challenges.take(challenge, PURPOSE, certificate);
    const statement = clientStatement(identity.publicKey, certificate, challenge);
    if (isFresh && isSignedBy(publicKey, statement, signature)) return;
    throw new ContractError("LinkRefused", {
      reason: "what it signed is not its challenge for this connection",
    });
  }

  #session(peer: PeerRecord): LinkSession {
    const secret = newSecret(), now = this.clock.monotonic();
    const own = [...this.#sessions].filter(([, { peerId }]) => peerId === peer.id);
    for (const [digest] of own.slice(0, Math.max(0, own.length - MOST_SESSIONS + 1))) {
      this.#sessions.delete(digest);
    }
    this.#sessions.set(secretHash(secret), { peerId: peer.id, endsAt: now + SESSION_MS });
    this.#lastUsed.set(peer.id, this.clock.now());
    return {
      secret,
      hostname: Deno.hostname(),
      version: VERSION,
      role: peer.role,
      expiresInSeconds: SESSION_MS / 1000,
    };
  }

  #ending(id: string): AbortController {
    const known = this.#endings.get(id) ?? new AbortController();
    this.#endings.set(id, known);
    return known;
  }

  #end(id: string): void {
    for (const [digest, { peerId }] of this.#sessions) if (peerId === id) this.#sessions.delete(digest);
    this.#ending(id).abort();
    this.#endings.delete(id);
    this.#lastUsed.delete(id);
  }
}

/** Permissions of a peer's user: within the peer's own rights, and the limits that it sent. */
const userOf = ({ role }: PeerRecord, caller: RemoteCaller | undefined): LinkedUser => ({
  rights: [...rightsOf(role), ...caller?.rights ?? []],
  ...(caller?.limits !== undefined && { toldLimits: caller.limits }),
  ...(caller?.mcp === "left" && { leftByMcp: true }),
});

const rightsOf = (role: Role): Rights => [layerOf([{ role, on: { kind: "everything" } }], new Map())];
