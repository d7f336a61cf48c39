/**
 * The way to another KVM Manager: HTTPS on a few connections that are kept. A connection is believed once the other one has
 * signed its certificate with the key that this link knows; a renewed certificate is signed again, and needs no person.
 */
import { Agent } from "node:http";
import { isIP } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { Duplex } from "node:stream";
import { fits } from "typebox/compile";
import type { Static, TSchema } from "typebox";
import { ContractError } from "../../../lib/contract/mod.ts";
import {
  clientStatement,
  HelloAnswer,
  type Join,
  LINK_PATHS,
  LinkSession,
  PEER_TOKEN,
  serverStatement,
} from "../../../lib/host/link_protocol.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { parseJson } from "../../../lib/text/json.ts";
import { VERSION } from "../../../lib/version.ts";
import type { Clock } from "../../clock.ts";
import { requireOutside } from "../../outbound/outside.ts";
import { connected, sendRequest, shownCertificate } from "../../outbound/node_connection.ts";
import { isRenewalOf, isSignedBy, type LinkIdentity } from "./identity.ts";
import { readBounded } from "./bounded.ts";
import { newSecret } from "../../access/secret.ts";

/** Milliseconds for a connection, and for each answer while a link is opened. */
const OPEN_MS = 8000;
/** Milliseconds a connection that is not used is kept: less than the other side keeps it. */
const IDLE_MS = 20_000;
/** Connections at once. */
const MOST_CONNECTIONS = 16;
/** Bytes of an answer while a link is opened. */
const MOST_OPENING = 16 * 1024;
/** A session is renewed when less than this part of its time is left. */
const RENEW_AT = 0.2;

/** The other one cannot be believed, or does not let us in. */
export class LinkRefusedError extends Error {
  override readonly name = "LinkRefusedError";
}

/** There was no connection: nothing was sent. */
export class NotSentError extends Error {
  override readonly name = "NotSentError";
  constructor(cause: unknown) {
    super(connectionFault(cause), { cause });
  }
}

/** Address and key of a connection's peer. */
export interface PeerAddress {
  /** `https://kvm2:8006`. */
  readonly address: string;
  /** The key it must have. */
  readonly publicKey: string;
  /** Is told when another key has taken the place of that one. */
  readonly renewed?: (publicKey: string) => void;
  /** Is told when the certificate ends that the other one has signed, in milliseconds since 1970. */
  readonly certified?: (endsAt: number) => void;
  /** Is given the heads of each answer, and how many milliseconds it took to come. */
  readonly answered?: (headers: Headers, took: number) => void;
}

export interface PeerRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | ReadableStream<Uint8Array>;
  readonly signal?: AbortSignal;
  /** It changes nothing, whatever its method is: it may be sent again where a connection breaks. */
  readonly repeatable?: boolean;
}

export class PeerConnection {
  readonly #url: URL;
  #publicKey: string;
  readonly #renewed: (publicKey: string) => void;
  readonly #answered: (headers: Headers, took: number) => void;
  readonly #certified: (endsAt: number) => void;
  readonly #agent: Agent;
  /** SHA-256 of the certificate that the other one has signed. */
  #certificate: string | undefined;
  #session: { readonly secret: string; readonly renewAt: number } | undefined;
  #opening: Promise<LinkSession> | undefined;
  readonly #stopped = new AbortController();

  constructor(
    { address, publicKey, renewed = () => {}, answered = () => {}, certified = () => {} }: PeerAddress,
    private readonly identity: LinkIdentity,
    private readonly clock: Pick<Clock, "now">,
  ) {
    this.#url = new URL(address);
    this.#publicKey = publicKey;
    this.#renewed = renewed;
    this.#answered = answered;
    this.#certified = certified;
    this.#agent = new Agent({ keepAlive: true, maxSockets: MOST_CONNECTIONS, timeout: IDLE_MS });
    // Node's types have no method for it
    Object.assign(this.#agent, {
      createConnection: (_options: unknown, done: (error: unknown, socket?: Duplex) => void) =>
        void this.#believed().then((socket) => done(null, socket), (error) => done(new NotSentError(error))),
    });
  }

  /** The key that the other one is known by now. */
  get publicKey(): string {
    return this.#publicKey;
  }

  /** Ends everything on it. */
  close(): void {
    this.#stopped.abort();
    this.#agent.destroy();
  }

  /** Shows an invitation, and is let in from then on. @param back an invitation of our own. @throws {LinkRefusedError | ContractError} what the other one says; system errors */
  async join(secret: string, back?: string): Promise<LinkSession> {
    const more = { secret, name: Deno.hostname(), ...(back !== undefined && { back }) };
    return this.#keep(await this.#prove(LINK_PATHS.join, more));
  }

  /** Opens a session. Those that call at the same time share one. @throws as {@link PeerConnection.join} */
  async open(): Promise<LinkSession> {
    this.#opening ??= this.#prove(LINK_PATHS.session, { name: Deno.hostname() });
    try {
      return this.#keep(await this.#opening);
    } finally {
      this.#opening = undefined;
    }
  }

  /**
   * Sends a request as one that is let in; one that was refused because the session is over is sent once more.
   *
   * @param path below the server's
   * @throws {NotSentError}; system errors, after which it is not known whether the other one has done it
   */
  async request(path: string, request: PeerRequest = {}): Promise<Response> {
    await this.#ready();
    const response = await this.#send(path, request);
    // It was not carried out: a token that is not valid lets no caller in
    if (response.status !== 401) return response;
    this.forgetSession();
    // A stream can be sent once
    if (request.body instanceof ReadableStream) return response;
    await response.body?.cancel();
    await this.#ready();
    return await this.#send(path, request);
  }

  /** The session was refused: the next request opens another one. */
  forgetSession(): void {
    this.#session = undefined;
  }

  /** A fresh connection and what is to be said on it, for who speaks on it themselves. @throws as {@link PeerConnection.request} */
  async line(): Promise<
    { readonly line: Duplex; readonly headers: Record<string, string>; readonly base: URL }
  > {
    await this.#ready();
    return { line: await this.#believed(), headers: this.#headers(), base: this.#url };
  }

  /** Has a session. @throws {NotSentError} */
  async #ready(): Promise<void> {
    if (this.#session !== undefined && performance.now() <= this.#session.renewAt) return;
    try {
      await this.open();
    } catch (error) {
      throw new NotSentError(error);
    }
  }

  #headers(): Record<string, string> {
    return {
      host: this.#url.host,
      ...(this.#session && { authorization: `Bearer ${PEER_TOKEN}${this.#session.secret}` }),
    };
  }

  async #send(path: string, { headers = {}, body, signal, ...how }: PeerRequest): Promise<Response> {
    const ended = AbortSignal.any([this.#stopped.signal, ...signal ? [signal] : []]);
    const sent = performance.now();
    const response = await sendRequest({
      ...how,
      agent: this.#agent,
      path: this.#path(path),
      signal: ended,
      headers: { ...this.#headers(), ...headers },
    }, body);
    this.#answered(response.headers, performance.now() - sent);
    return response;
  }

  readonly #path = (path: string) => this.#url.pathname.replace(/\/$/, "") + path;

  #keep(session: LinkSession): LinkSession {
    const ms = session.expiresInSeconds * 1000 * (1 - RENEW_AT);
    this.#session = { secret: session.secret, renewAt: performance.now() + ms };
    return session;
  }

  async #connect(): Promise<TLSSocket> {
    const host = this.#url.hostname.replace(/^\[|\]$/g, "");
    const to = { host, port: Number(this.#url.port || 443), ...(isIP(host) === 0 && { servername: host }) };
    // The other one's own key is the trust: it signs the certificate
    return await connected(connectTls({ ...to, rejectUnauthorized: false }), "secureConnect", OPEN_MS);
  }

  /** A connection to exactly the other one. @throws {LinkRefusedError} */
  async #believed(): Promise<TLSSocket> {
    requireOutside();
    const socket = await this.#connect();
    if (shownCertificate(socket) === this.#certificate) return socket;
    try {
      await this.#greet(socket);
      return socket;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /** Has the other one sign the certificate of a connection. @returns its challenge @throws {LinkRefusedError} */
  async #greet(socket: TLSSocket): Promise<string> {
    const challenge = newSecret(), certificate = shownCertificate(socket);
    const answer = await this.#ask(socket, LINK_PATHS.hello, { challenge }, HelloAnswer);
    const isKnown = answer.publicKey === this.#publicKey;
    if (!isKnown && !isRenewalOf(this.#publicKey, answer.publicKey, answer.renewals ?? [])) {
      throw new LinkRefusedError(
        "there is another KVM Manager at this address: its key is not the one of this link",
      );
    }
    if (answer.certificate !== certificate) {
      throw new LinkRefusedError(
        "the connection is not encrypted by KVM Manager itself: a proxy, or somebody else, is in between",
      );
    }
    if (!isSignedBy(answer.publicKey, serverStatement(certificate, challenge), answer.signature)) {
      throw new LinkRefusedError("what it signed is not this connection's certificate");
    }
    this.#certificate = certificate;
    const endsAt = Date.parse(socket.getPeerCertificate().valid_to);
    // No number for what is no time
    if (Number.isSafeInteger(endsAt)) {
      // A connection that stays open would never show that an expired one was renewed. Node's types have no such property
      Object.assign(this.#agent, { keepAlive: endsAt > this.clock.now() });
      this.#certified(endsAt);
    }
    if (!isKnown) {
      this.#publicKey = answer.publicKey;
      this.#renewed(answer.publicKey);
    }
    return answer.challenge;
  }

  /** Shows who we are, on a connection of its own. */
  async #prove(
    path: string,
    more: Pick<Join, "name"> & Partial<Pick<Join, "secret" | "back">>,
  ): Promise<LinkSession> {
    const identity = await this.identity.ready(), socket = await this.#connect();
    try {
      const challenge = await this.#greet(socket);
      const statement = clientStatement(this.#publicKey, shownCertificate(socket), challenge);
      const proof = {
        publicKey: identity.publicKey,
        challenge,
        signature: identity.sign(statement),
        version: VERSION,
        ...(identity.renewals.length > 0 && { renewals: [...identity.renewals] }),
      };
      return await this.#ask(socket, path, { ...proof, ...more }, LinkSession);
    } finally {
      socket.destroy();
    }
  }

  /**
   * Sends a request on a connection, which stays open. @throws {ContractError} errors of the peer;
   * {LinkRefusedError}
   */
  async #ask<T extends TSchema>(socket: Duplex, path: string, input: unknown, schema: T): Promise<Static<T>> {
    const signal = AbortSignal.any([AbortSignal.timeout(OPEN_MS), this.#stopped.signal]);
    // One that is kept alive is given back to its agent, and otherwise ended
    const agent = new Agent({ keepAlive: true });
    Object.assign(agent, { createConnection: () => socket });
    const response = await sendRequest({
      agent,
      method: "POST",
      path: this.#path(path),
      signal,
      headers: { host: this.#url.host, "content-type": "application/json" },
    }, JSON.stringify(input));
    const text = await readBounded(response, MOST_OPENING, signal);
    if (response.status !== 200) throw refusalOf(response.status, text);
    const answer = parsed(text);
    if (fits(schema, answer)) return answer;
    throw new LinkRefusedError("it does not answer as a KVM Manager that can be linked");
  }
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new LinkRefusedError("it does not answer as KVM Manager does", { cause: error });
  }
}

/** The peer's refusal as an error. */
function refusalOf(status: number, text: string): Error {
  const { code, message } = (parsed(text) ?? {}) as { code?: unknown; message?: unknown };
  if (code === "InvitationRefused") return new ContractError("InvitationRefused");
  const why = typeof message === "string" ? message.slice(0, 300) : `it answers with HTTP ${status}`;
  return new LinkRefusedError(why);
}

/** Error code of the system → its meaning. */
const FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens at its address",
  ECONNRESET: "the connection was cut",
  EHOSTUNREACH: "there is no way to its address",
  ENETUNREACH: "there is no way to its address",
  ENOTFOUND: "the name in its address is not known here",
  EPIPE: "the connection was cut",
  ETIMEDOUT: "its address does not answer",
};

/** Why there is no connection, for people. */
export function connectionFault(error: unknown): string {
  const text = messageOf(error).slice(0, 400), { code } = (error ?? {}) as { code?: unknown };
  const known = typeof code === "string" && Object.hasOwn(FAULTS, code) ? FAULTS[code] : undefined;
  if (known !== undefined) return known;
  if (error instanceof DOMException && error.name === "TimeoutError") return "it did not answer in time";
  // What Node says of a connection that the other side has ended
  return /^(aborted|socket hang up)$/.test(text) ? "the connection was cut" : text;
}
