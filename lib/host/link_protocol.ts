/**
 * How two KVM Managers show each other who they are, before one lets the other act on its host. Each has an Ed25519 key of
 * its own. The one that is asked signs the certificate of the connection: an interceptor has another certificate. Who
 * asks signs that certificate and a challenge which is good once. Pure.
 */
import Type, { type Static } from "typebox";
import { closed } from "../contract/schema.ts";

/** How a token begins that another KVM Manager is let in by. */
export const PEER_TOKEN = "kvml_";

/** Paths that are answered before anybody is known, below the server's. */
export const LINK_PATHS = {
  hello: "/api/link/hello",
  join: "/api/link/join",
  session: "/api/link/session",
} as const;

/** Head of an answer to another KVM Manager with the time here, in milliseconds since 1970. */
export const CLOCK_HEADER = "x-clock";

/** 32 bytes as base64url: a public key, a secret. */
const Word = Type.String({ pattern: "^[A-Za-z0-9_-]{43}$" });
/** Random text to sign, which proves that the signature is new. */
const Challenge = Type.String({ pattern: "^[A-Za-z0-9_-]{43,120}$" });
/** 64 bytes: a signature. */
const Signature = Type.String({ pattern: "^[A-Za-z0-9_-]{86}$" });
const Sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });
const Version = Type.String({ minLength: 1, maxLength: 40 });
const Name = Type.String({ minLength: 1, maxLength: 64 });

/** A key that took the place of another, signed with the other. */
const Renewal = Type.Object({ from: Word, to: Word, signature: Signature });
export type Renewal = Static<typeof Renewal>;
/** Renewals that are kept and sent. A KVM Manager that has missed more has to be linked again. */
export const MOST_RENEWALS = 30;
const Renewals = Type.Optional(Type.Array(Renewal, { maxItems: MOST_RENEWALS }));

/** "Who are you?" */
export const Hello = closed({ challenge: Challenge });
export type Hello = Static<typeof Hello>;
/** The answer: a signature of the certificate and of the challenge; and a challenge of its own. */
export const HelloAnswer = Type.Object({
  publicKey: Word,
  certificate: Sha256,
  signature: Signature,
  challenge: Challenge,
  renewals: Renewals,
});
export type HelloAnswer = Static<typeof HelloAnswer>;

/** Proof that lets the caller in. */
const Proof = {
  publicKey: Word,
  challenge: Challenge,
  signature: Signature,
  name: Name,
  version: Version,
  renewals: Renewals,
};
/** "I was invited." */
export const Join = closed({
  ...Proof,
  secret: Word,
  /** An invitation to the one that asks, where the link is to go both ways. */
  back: Type.Optional(Type.String({ maxLength: 700 })),
});
export type Join = Static<typeof Join>;
/** "I am the one that was invited." */
export const Open = closed(Proof);
export type Open = Static<typeof Open>;
/** Secret for the calls that follow, and facts about the other server. */
export const LinkSession = Type.Object({
  secret: Word,
  hostname: Name,
  version: Version,
  role: Type.String({ maxLength: 20 }),
  expiresInSeconds: Type.Integer({ minimum: 1, maximum: 86_400 }),
});
export type LinkSession = Static<typeof LinkSession>;

const statement = (...lines: readonly string[]) => new TextEncoder().encode(lines.join("\n"));

/**
 * Statement that the called server signs.
 *
 * @param certificate SHA-256 of the connection's certificate, in hexadecimal digits
 */
export const serverStatement = (certificate: string, challenge: string): Uint8Array =>
  statement("KVM Manager link, server", certificate, challenge);

/** Statement that the calling server signs. @param server public key of the called server */
export const clientStatement = (server: string, certificate: string, challenge: string): Uint8Array =>
  statement("KVM Manager link, client", server, certificate, challenge);

/** Statement that a server which renews its key signs with its old key. */
export const renewalStatement = (from: string, to: string): Uint8Array =>
  statement("KVM Manager link, renewed key", from, to);

/** Invitation: the address, the key of the server, and a secret that is good once. */
export interface Invitation {
  /** `https://kvm2:8006`, with the path it is below behind a proxy. */
  readonly address: string;
  readonly publicKey: string;
  readonly secret: string;
}

const PREFIX = "join/";

/** An invitation as one line: an address whose fragment no server is told. */
export const invitationText = ({ address, publicKey, secret }: Invitation): string =>
  `${address}#${PREFIX}${publicKey}.${secret}`;

/** The address of a server to link to: HTTPS, nothing but host, port and path. @returns undefined for anything else */
export function linkAddress(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, host, pathname, username, password, search, hash } = new URL(text);
  if (protocol !== "https:" || host === "" || username + password + search + hash !== "") return undefined;
  return `https://${host}${pathname.replace(/\/+$/, "")}`;
}

/** Reads such a line. @returns undefined for anything else */
export function readInvitation(text: string): Invitation | undefined {
  const [, place = "", publicKey, secret] =
    /^(https:[^#\s]{1,500})#join\/([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/.exec(text.trim()) ?? [];
  const address = linkAddress(place);
  if (address === undefined || publicKey === undefined || secret === undefined) return undefined;
  return { address, publicKey, secret };
}
