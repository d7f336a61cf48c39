/**
 * Passkeys: WebAuthn's ceremonies. What is asked is good once, for five minutes, for one purpose and one origin; the
 * answers are checked by @simplewebauthn/server, which is loaded with the first of them.
 */
import { isIP } from "node:net";
import { Buffer } from "node:buffer";
import {
  ContractError,
  type PasskeyAssertion,
  type PasskeyAttestation,
  type PasskeyCreation,
  type PasskeyRequest,
} from "../../lib/contract/mod.ts";
import { messageOf } from "../../lib/text/message.ts";
import { parseJson } from "../../lib/text/json.ts";
import type { Principal } from "../access.ts";
import { log } from "../log.ts";
import type { Clock } from "../clock.ts";
import type { PasskeyRecord, UserRecord } from "./records.ts";
import { SignedChallenges } from "./signed_challenges.ts";

/** Milliseconds an answer may take. */
const ASKED_MS = 5 * 60_000;
/** Of one user. */
const MOST_PASSKEYS = 20;
/** Signature algorithms (COSE): EdDSA, ES256, RS256. */
const ALGORITHMS = [-8, -7, -257] as const;

interface Asked {
  readonly origin: string;
  readonly site: string;
}

const library = () => import("@simplewebauthn/server");
const described = (
  { credential, transports }: PasskeyRecord,
) => ({ type: "public-key" as const, id: credential, transports: [...transports] });

/** The site as WebAuthn names it. @throws {ContractError} WrongDoor, PasskeyNeedsName */
function siteOf({ origin }: Principal): { origin: string; site: string } {
  if (origin === undefined) throw new ContractError("WrongDoor");
  const { hostname } = new URL(origin);
  if (isIP(hostname.replace(/^\[|\]$/g, "")) !== 0) {
    throw new ContractError("PasskeyNeedsName", { host: hostname });
  }
  return { origin, site: hostname };
}

/** The challenge that an answer says it is for; undefined when it says nothing. */
function challengeIn(clientDataJSON: string): string | undefined {
  try {
    const data = parseJson(Buffer.from(clientDataJSON, "base64url").toString());
    const { challenge } = data as { challenge?: unknown };
    return typeof challenge === "string" ? challenge : undefined;
  } catch {
    return undefined; // not what any browser sends
  }
}

export class Passkeys {
  /** By purpose: a session that adds a passkey, a challenge of a sign-in; empty for a passkey alone. */
  readonly #challenges: SignedChallenges;

  constructor(private readonly clock: Clock) {
    this.#challenges = new SignedChallenges(ASKED_MS, clock);
  }

  /**
   * Options for the browser to create a passkey. @throws {ContractError} TooManyRequests, WrongDoor,
   * PasskeyNeedsName
   */
  creation(user: UserRecord, by: Principal): PasskeyCreation {
    const { passkeys = [] } = user;
    if (passkeys.length >= MOST_PASSKEYS) {
      throw new ContractError("TooManyRequests", { what: "passkeys of one user", limit: MOST_PASSKEYS });
    }
    const { challenge, site } = this.#ask(by.holder, by);
    return {
      challenge,
      rp: { id: site, name: "KVM Manager" },
      user: {
        id: Buffer.from(user.id).toString("base64url"),
        name: user.name,
        displayName: user.displayName || user.name,
      },
      pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: "public-key", alg })),
      timeout: ASKED_MS,
      excludeCredentials: passkeys.filter((each) => each.site === site).map(described),
      authenticatorSelection: {
        residentKey: "required",
        requireResidentKey: true,
        userVerification: "required",
      },
      attestation: "none",
    };
  }

  /** The passkey that was made. @throws {ContractError} SignInExpired, PasskeyRefused */
  async created(name: string, answer: PasskeyAttestation, by: Principal): Promise<PasskeyRecord> {
    const challenge = challengeIn(answer.clientDataJSON) ?? "";
    const asked = this.#take(challenge, by.holder, by);
    if (asked === undefined) throw new ContractError("SignInExpired");
    const { clientDataJSON, attestationObject, transports = [] } = answer;
    const { verifyRegistrationResponse } = await library();
    try {
      const { verified, registrationInfo } = await verifyRegistrationResponse({
        response: {
          id: answer.id,
          rawId: answer.id,
          type: "public-key",
          response: { clientDataJSON, attestationObject, transports },
          clientExtensionResults: {},
        },
        expectedChallenge: challenge,
        expectedOrigin: asked.origin,
        expectedRPID: asked.site,
        requireUserVerification: true,
        supportedAlgorithmIDs: [...ALGORITHMS],
      });
      if (!verified) throw new Error("its signature is wrong");
      const { credential, credentialBackedUp } = registrationInfo;
      return {
        id: crypto.randomUUID(),
        name,
        credential: credential.id,
        publicKey: Buffer.from(credential.publicKey).toString("base64url"),
        counter: credential.counter,
        transports,
        site: asked.site,
        synced: credentialBackedUp,
        createdAt: this.clock.now(),
        lastUsedAt: null,
      };
    } catch (error) {
      const reason = messageOf(error);
      throw new ContractError("PasskeyRefused", { reason }, { cause: error });
    }
  }

  /**
   * Options for the browser to use a passkey.
   *
   * @param known passkeys that may answer; without any the device offers its own
   * @param verification whether the device must verify its user
   * @throws {ContractError} WrongDoor, PasskeyNeedsName
   */
  request(
    purpose: string,
    known: readonly PasskeyRecord[],
    by: Principal,
    verification: PasskeyRequest["userVerification"],
  ): PasskeyRequest {
    const { challenge, site } = this.#ask(purpose, by);
    return {
      challenge,
      rpId: site,
      timeout: ASKED_MS,
      allowCredentials: known.filter((each) => each.site === site).map(described),
      userVerification: verification,
    };
  }

  /** The passkey that has signed, as it is to be kept now; undefined when it has not. The question is used up. */
  async check(
    purpose: string,
    answer: PasskeyAssertion,
    user: UserRecord | undefined,
    by: Principal,
    verification: PasskeyRequest["userVerification"],
  ): Promise<PasskeyRecord | undefined> {
    const challenge = challengeIn(answer.clientDataJSON) ?? "";
    const asked = this.#take(challenge, purpose, by);
    const passkey = user?.passkeys?.find(({ credential }) => credential === answer.id);
    if (asked === undefined || passkey === undefined || passkey.site !== asked.site) return undefined;
    const { id, clientDataJSON, authenticatorData, signature, userHandle } = answer;
    const { verifyAuthenticationResponse } = await library();
    try {
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        response: {
          id,
          rawId: id,
          type: "public-key",
          response: { clientDataJSON, authenticatorData, signature, ...(userHandle && { userHandle }) },
          clientExtensionResults: {},
        },
        expectedChallenge: challenge,
        expectedOrigin: asked.origin,
        expectedRPID: asked.site,
        requireUserVerification: verification === "required",
        credential: {
          id: passkey.credential,
          publicKey: new Uint8Array(Buffer.from(passkey.publicKey, "base64url")),
          counter: passkey.counter,
          transports: [...passkey.transports],
        },
      });
      if (!verified) return undefined;
      return { ...passkey, counter: authenticationInfo.newCounter, lastUsedAt: this.clock.now() };
    } catch (error) {
      // A counter that went back may be a copied key: an administrator wants to read of it.
      log.warn("a passkey was refused", { user: user?.name, passkey: passkey.name, error });
      return undefined;
    }
  }

  #ask(purpose: string, by: Principal): { challenge: string; site: string } {
    const { origin, site } = siteOf(by);
    return { challenge: this.#challenges.issue(purpose, origin), site };
  }

  /**
   * Takes a challenge, which can be used once; undefined if it was not issued, has expired, or was issued for another
   * purpose or origin.
   */
  #take(challenge: string, purpose: string, { origin }: Principal): Asked | undefined {
    if (origin === undefined || !this.#challenges.take(challenge, purpose, origin)) return undefined;
    return { origin, site: new URL(origin).hostname };
  }
}
