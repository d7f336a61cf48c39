/**
 * Signing in, as one state machine on the server: a password opens either a session or, with a second factor, a
 * challenge that only its code turns into one. No step can be left out, nothing can be used twice.
 */
import { ContractError } from "../../lib/contract/errors.ts";
import type { Principal } from "../access.ts";
import type { Accounts } from "./accounts.ts";
import { type Clock, elapsed, type Moment } from "./clock.ts";
import type { Credentials } from "./credentials.ts";
import { isPassword } from "./hashing.ts";
import type { UserRecord } from "./records.ts";
import { hashOf, newSecret } from "./secret.ts";
import { Throttle } from "./throttle.ts";
import { checkCode, plainRecoveryCode } from "./totp.ts";

/** Milliseconds between password and code. */
export const CHALLENGE_MS = 5 * 60_000;
/** Codes tried for one challenge. */
const MOST_CODES = 5;
const MOST_CHALLENGES = 1000;

interface Challenge {
  readonly userId: string;
  /** The hash of the password it was opened with: another password is another sign-in. */
  readonly password: string;
  readonly begun: Moment;
  tries: number;
}

/** What a step has come to. */
export type Step = { state: "signed-in"; challenge: null } | { state: "second-factor"; challenge: string };
const DONE: Step = { state: "signed-in", challenge: null };

export class SignIn {
  readonly #challenges = new Map<string, Challenge>();
  readonly accountThrottle: Throttle;
  readonly addressThrottle: Throttle;

  constructor(
    private readonly accounts: Accounts,
    private readonly credentials: Credentials,
    private readonly clock: Clock,
  ) {
    const now = () => clock().up;
    this.accountThrottle = new Throttle({ free: 5, longest: 5 * 60_000 }, now);
    // Many people may come from one address: a proxy, an ssh tunnel.
    this.addressThrottle = new Throttle({ free: 30, longest: 60_000 }, now);
  }

  /** First step: the password. @throws {ContractError} SignInFailed, TooManyAttempts, WrongDoor, StoreUnavailable */
  async password(name: string, password: string, by: Principal): Promise<Step> {
    requireCookies(by);
    this.accounts.records.require();
    const found = await this.check(name.toLowerCase(), password, by);
    if (found.totp === undefined) {
      this.accountThrottle.succeeded(found.name);
      this.#open(found, by);
      return DONE;
    }
    this.#forgetOld();
    const challenge = newSecret();
    this.#challenges.set(hashOf(challenge), {
      userId: found.id,
      password: found.password!,
      begun: this.clock(),
      tries: 0,
    });
    return { state: "second-factor", challenge };
  }

  /**
   * Checks a password, slowed down by account and address. The account's failures are forgiven by the caller, once
   * everything is shown.
   *
   * @throws {ContractError} SignInFailed, TooManyAttempts, TooManyRequests
   */
  async check(name: string, password: string, { address }: Principal): Promise<UserRecord> {
    this.accountThrottle.check(name);
    this.addressThrottle.check(address);
    this.accountThrottle.failed(name);
    const before = this.accounts.named(name);
    const isRight = await isPassword(password, before?.disabled ? undefined : before?.password);
    // It took a while: what counts is how the account is now.
    const user = this.accounts.named(name);
    if (!isRight || !user || user.disabled || user.password !== before?.password) {
      this.accountThrottle.renew(name);
      this.addressThrottle.failed(address);
      throw new ContractError("SignInFailed");
    }
    return user;
  }

  /** Second step: a one-time code, or a recovery code. @throws {ContractError} SignInFailed, SignInExpired, TooManyAttempts */
  code(challenge: string, code: string, by: Principal): Step {
    requireCookies(by);
    this.accounts.records.require();
    const key = hashOf(challenge);
    const found = this.#challenges.get(key);
    const user = found && this.accounts.users.get(found.userId);
    const isOpen = found !== undefined && elapsed(found.begun, this.clock()) < CHALLENGE_MS &&
      user !== undefined && !user.disabled && user.totp !== undefined && user.password === found.password;
    if (!isOpen) {
      this.#challenges.delete(key);
      this.addressThrottle.check(by.address);
      this.addressThrottle.failed(by.address);
      throw new ContractError("SignInExpired");
    }
    this.accountThrottle.check(`code:${user.name}`);
    this.addressThrottle.check(by.address);
    if (++found.tries >= MOST_CODES) this.#challenges.delete(key);
    const proven = this.#proven(user, code);
    if (!proven) {
      this.accountThrottle.failed(`code:${user.name}`);
      this.addressThrottle.failed(by.address);
      throw new ContractError("SignInFailed");
    }
    this.#challenges.delete(key);
    this.#open(proven, by);
    for (const each of [user.name, `code:${user.name}`]) this.accountThrottle.succeeded(each);
    return DONE;
  }

  /** The user with the code used up; undefined when it is wrong or was used. */
  #proven(user: UserRecord, code: string): UserRecord | undefined {
    const { secret, lastStep } = user.totp!;
    const step = checkCode(secret, code, this.clock().wall, lastStep);
    if (step !== null) return { ...user, totp: { secret, lastStep: step } };
    const hash = hashOf(plainRecoveryCode(code));
    if (!user.recovery.includes(hash)) return undefined;
    return { ...user, recovery: user.recovery.filter((each) => each !== hash) };
  }

  /** Opens a session; the code that led here is used up with the same write. */
  #open(user: UserRecord, by: Principal): void {
    by.keepSession!(this.credentials.begin(user, by));
    by.becomes?.(user.name);
  }

  #forgetOld(): void {
    const now = this.clock();
    for (const [key, { begun }] of this.#challenges) {
      if (elapsed(begun, now) >= CHALLENGE_MS || this.#challenges.size >= MOST_CHALLENGES) {
        this.#challenges.delete(key);
      }
    }
  }
}

/** @throws {ContractError} WrongDoor where no cookie can be kept */
export function requireCookies({ keepSession }: Principal): void {
  if (keepSession === undefined) throw new ContractError("WrongDoor");
}
