/**
 * How fast somebody may try to sign in. Failures are counted for the account together with the client's network, for the
 * network alone, and for the account alone with much more patience. A device that signed in before, or a session, has a
 * count of its own: attempts from elsewhere do not hold it up.
 */
import { MINUTE_MS } from "../../lib/duration.ts";
import type { Principal } from "../access.ts";
import type { Clock } from "../clock.ts";
import { clientSubnet, isShared } from "../limits.ts";
import type { Waiter } from "./fair_queue.ts";
import type { UserRecord } from "./records.ts";
import { secretHash } from "./secret.ts";
import { type Patience, Throttle } from "./throttle.ts";

/** Step of a sign-in: the first one, or the second. */
export type AttemptStep = "password" | "code";
/** The parts of a principal that attempts are counted by. */
export type Client = Pick<Principal, "address" | "device" | "via" | "holder" | "localUser">;

/** Of one account from one network, of one device, of one session. */
const STRICT: Patience = { free: 5, longest: 5 * MINUTE_MS };
/** Of one network: many people may come from one, as behind a proxy or a tunnel. */
const NETWORK: Patience = { free: 30, longest: MINUTE_MS };
/** Of one account from everywhere it has not signed in from. */
const ACCOUNT: Patience = { free: 50, longest: MINUTE_MS };

/** Devices and networks remembered of one account: the newest. */
const MOST_KNOWN = 10;

/** A list with one more at its beginning. */
const newest = (list: readonly string[] | undefined, one: string): readonly string[] =>
  [one, ...(list ?? []).filter((each) => each !== one)].slice(0, MOST_KNOWN);

/** Origin of an attempt: the network; on loopback the user of this host, if the kernel knows it. */
function placeOf({ address, localUser }: Pick<Client, "address" | "localUser">): string {
  const uid = isShared(address) ? localUser?.() : undefined;
  return uid === undefined ? clientSubnet(address) : `${address} uid ${uid}`;
}

/** An account that has signed in from here: what is known of it for the next time. */
export function withKnown(user: UserRecord, address: string, device: string): UserRecord {
  return {
    ...user,
    devices: newest(user.devices, secretHash(device)),
    networks: newest(user.networks, clientSubnet(address)),
  };
}

/** Whether an account has signed in on the client's device before. */
export function isKnownDevice(user: UserRecord | undefined, { device }: Pick<Client, "device">): boolean {
  return device !== undefined && (user?.devices?.includes(secretHash(device)) ?? false);
}

export class Attempts {
  readonly #strict: Throttle;
  readonly #networks: Throttle;
  readonly #accounts: Throttle;

  constructor(clock: Clock) {
    this.#strict = new Throttle(STRICT, clock);
    this.#networks = new Throttle(NETWORK, clock);
    this.#accounts = new Throttle(ACCOUNT, clock);
  }

  /**
   * Begins an attempt at an account. It counts as failed until {@link succeeded}: of many at once, each waits
   * for those before.
   *
   * @param user the account, if one has that name
   * @returns the waiter for the password's check
   * @throws {ContractError} TooManyAttempts
   */
  begin(step: AttemptStep, name: string, user: UserRecord | undefined, client: Client): Waiter {
    const { key, isTrusted } = strictKey(step, name, user, client);
    const network = placeOf(client);
    const isKnown = isTrusted || (user?.networks?.includes(clientSubnet(client.address)) ?? false);
    if (!isTrusted) this.#networks.check(network);
    try {
      this.#strict.check(key);
      if (!isKnown && step === "password") this.#accounts.check(name);
    } catch (error) {
      // Who goes on at other accounts is slowed down, too; but behind a loopback address are many, as through a tunnel.
      if (!isTrusted && !isShared(client.address)) this.#networks.failed(network);
      throw error;
    }
    this.#strict.failed(key);
    return { network, isKnown };
  }

  /** An attempt that was begun has failed: what it costs is waited from now on. */
  failed(step: AttemptStep, name: string, user: UserRecord | undefined, client: Client): void {
    const { key, isTrusted } = strictKey(step, name, user, client);
    this.#strict.renew(key);
    if (isTrusted) return;
    this.#networks.failed(placeOf(client));
    this.#accounts.failed(name);
  }

  /** Somebody has shown everything: their own failures are forgiven, not those of others at the account. */
  succeeded(user: UserRecord, client: Client): void {
    for (const step of ["password", "code"] as const) {
      this.#strict.succeeded(strictKey(step, user.name, user, client).key);
    }
  }

  /** Begins an attempt that names no account. @throws {ContractError} TooManyAttempts */
  beginNameless(client: Pick<Client, "address" | "localUser">): void {
    this.#networks.check(placeOf(client));
  }

  /** An attempt that names no account has failed. */
  failedNameless(client: Pick<Client, "address" | "localUser">): void {
    this.#networks.failed(placeOf(client));
  }
}

/**
 * Key that an attempt is strictly counted by; trusted if it is a session's or a device's that the account
 * knows.
 */
function strictKey(
  step: AttemptStep,
  name: string,
  user: UserRecord | undefined,
  client: Client,
): { key: string; isTrusted: boolean } {
  const { device, via, holder } = client;
  if (via === "session") return { key: `${step} ${holder}`, isTrusted: true };
  if (isKnownDevice(user, client)) {
    return { key: `${step} ${name} device:${secretHash(device!)}`, isTrusted: true };
  }
  // Only who knows the password gets to the second step: no other caller can lock the account.
  return {
    key: step === "code" ? `code ${name}` : `password ${name} ${placeOf(client)}`,
    isTrusted: false,
  };
}
