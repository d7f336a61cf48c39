/**
 * Signing in, as one state machine on the server: a password opens either a session or, with a second factor, a
 * challenge that only its code, or a passkey, turns into one; a passkey that asks who one is opens a session by itself.
 * No step can be left out, nothing can be used twice.
 */
import {
  ContractError,
  type PasskeyAssertion,
  type PasskeyRequest,
  type SignInStep,
} from "../../lib/contract/mod.ts";
import type { Principal } from "../access.ts";
import type { Accounts } from "./accounts.ts";
import { Attempts, isKnownDevice, withKnown } from "./attempts.ts";
import { type Clock, elapsed, type Moment, momentOf } from "../clock.ts";
import type { Credentials } from "./credentials.ts";
import type { PasswordHashes } from "./hashing.ts";
import type { HostAccountsAsked, Standing } from "./host_accounts.ts";
import type { Passkeys } from "./passkeys.ts";
import { hasSecondFactor, type UserRecord } from "./records.ts";
import { newSecret, secretHash } from "./secret.ts";
import { checkCode, plainRecoveryCode } from "./totp.ts";

/** Milliseconds between password and code. */
export const CHALLENGE_MS = 5 * 60_000;
/** Milliseconds a failure takes where the host's accounts sign in. */
const FAILURE_MS = 2000;
/** Codes tried for one challenge. */
const MOST_CODES = 5;
/** Sign-ins of one account that wait for the second step; beyond, its oldest is over. */
const MOST_CHALLENGES = 20;
/** Stands in the place of a challenge where a passkey is all there is. */
const ALONE = "";

interface Challenge {
  readonly userId: string;
  /** The hash of the password it was opened with: another password is another sign-in. */
  readonly password: string | undefined;
  readonly begun: Moment;
  tries: number;
}

/** A sign-in that is done. */
export const SIGNED_IN: SignInStep = { state: "signed-in", challenge: null, secondFactors: [] };

export class SignIn {
  readonly #challenges = new Map<string, Challenge>();
  readonly attempts: Attempts;

  constructor(
    private readonly accounts: Accounts,
    private readonly credentials: Credentials,
    private readonly passkeys: Passkeys,
    private readonly host: HostAccountsAsked | null,
    private readonly clock: Clock,
    private readonly hashes: PasswordHashes,
  ) {
    this.attempts = new Attempts(clock);
  }

  /** First step: the password. @throws {ContractError} SignInFailed, TooManyAttempts, WrongDoor, StoreUnavailable */
  async password(name: string, password: string, by: Principal): Promise<SignInStep> {
    requireCookies(by);
    this.accounts.records.require();
    const found = await this.check(name.toLowerCase(), password, by);
    if (!hasSecondFactor(found)) {
      this.attempts.succeeded(found, by);
      this.open(found, by);
      return SIGNED_IN;
    }
    this.#forgetOld(found.id);
    const challenge = newSecret();
    this.#challenges.set(secretHash(challenge), {
      userId: found.id,
      password: found.password,
      begun: momentOf(this.clock),
      tries: 0,
    });
    const secondFactors: SignInStep["secondFactors"] = [
      ...(found.totp !== undefined || found.recovery.length > 0 ? ["code" as const] : []),
      ...(found.passkeys?.length ? ["passkey" as const] : []),
    ];
    return { state: "second-factor", challenge, secondFactors };
  }

  /**
   * Checks a password, slowed down by {@link Attempts}. Failures are forgiven by the caller, once everything is shown.
   *
   * @throws {ContractError} SignInFailed, TooManyAttempts, TooManyRequests
   */
  async check(name: string, password: string, by: Principal): Promise<UserRecord> {
    const before = this.accounts.named(name);
    const waiter = this.attempts.begin("password", name, before, by);
    const started = this.clock.monotonic();
    const [isRight, ofHost] = await Promise.all([
      this.hashes.isPassword(password, before?.disabled ? undefined : before?.password, waiter),
      this.host && this.accounts.mayBeOfHost(name) && !before?.disabled
        ? this.host.check(name, password, by.address)
        : undefined,
    ]);
    // It took a while: what counts is how the account is now.
    const now = this.accounts.named(name);
    const user = ofHost !== undefined && this.accounts.mayBeOfHost(name) && !now?.disabled
      ? this.accounts.ofHost(name, ofHost)
      : isRight
      ? now
      : undefined;
    if (!user || user.disabled || user.password !== before?.password) {
      // PAM takes its time over some names: all failures take the same.
      const left = this.host ? FAILURE_MS - (this.clock.monotonic() - started) : 0;
      if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
      this.attempts.failed("password", name, before, by);
      throw new ContractError("SignInFailed");
    }
    return user;
  }

  /** Second step: a one-time code, or a recovery code. @throws {ContractError} SignInFailed, SignInExpired, TooManyAttempts */
  code(challenge: string, code: string, by: Principal): SignInStep {
    requireCookies(by);
    this.accounts.records.require();
    const { found, user, key } = this.#begun(challenge, by);
    this.attempts.begin("code", user.name, user, by);
    if (++found.tries >= MOST_CODES) this.#challenges.delete(key);
    const proven = this.#proven(user, code);
    if (!proven) throw this.#wrong(user, by);
    return this.#finish(key, proven, by);
  }

  /**
   * Options for the browser to sign in by passkey. @param challenge of the password's step: the passkey is
   * the second factor then
   * @throws {ContractError} SignInExpired, TooManyAttempts, WrongDoor, PasskeyNeedsName, StoreUnavailable
   */
  beginPasskey(challenge: string | undefined, by: Principal): PasskeyRequest {
    requireCookies(by);
    this.accounts.records.require();
    if (challenge === undefined) {
      this.#beginNameless(by);
      return this.passkeys.request(ALONE, [], by, "required");
    }
    const { user, key } = this.#begun(challenge, by);
    return this.passkeys.request(key, user.passkeys ?? [], by, "preferred");
  }

  /**
   * Only or second step: a passkey. Alone it counts as both factors, so the device must have asked who it is.
   *
   * @throws {ContractError} SignInFailed, SignInExpired, TooManyAttempts, WrongDoor, StoreUnavailable
   */
  async passkey(
    challenge: string | undefined,
    response: PasskeyAssertion,
    by: Principal,
  ): Promise<SignInStep> {
    requireCookies(by);
    this.accounts.records.require();
    const begun = challenge === undefined ? undefined : this.#begun(challenge, by);
    if (begun !== undefined) this.attempts.begin("code", begun.user.name, begun.user, by);
    else this.#beginNameless(by);
    const holder = begun?.user ??
      [...this.accounts.users.values()].find(({ passkeys = [] }) =>
        passkeys.some(({ credential }) => credential === response.id)
      );
    const verification = begun === undefined ? "required" : "preferred";
    const used = await this.passkeys.check(begun?.key ?? ALONE, response, holder, by, verification);
    const isLetIn = used !== undefined && holder !== undefined && await this.#isLetIn(holder);
    // It took a while: what counts is how everything is now.
    const user = holder && this.accounts.users.get(holder.id);
    const before = user?.passkeys?.find(({ id }) => id === used?.id);
    const isStill = begun === undefined || this.#challenges.has(begun.key);
    if (!used || !user || !isLetIn || !this.accounts.isOpen(user) || before === undefined || !isStill) {
      throw this.#wrong(begun?.user, by);
    }
    const passkeys = user.passkeys!.map((each) => each === before ? used : each);
    return this.#finish(begun?.key, { ...user, passkeys }, by);
  }

  /**
   * Whether the account may be used, which of an account of the host only the host says, with the rights that its groups
   * give now. Where the host cannot be asked it may not.
   */
  async #isLetIn({ id, name, host }: UserRecord): Promise<boolean> {
    if (host !== true) return true;
    const standing = await this.host?.standing(name) ?? "unknown";
    return this.takeStanding(id, standing) === true;
  }

  /**
   * Takes what the host says of one of its accounts. One that is another person's by now ends with what it has.
   *
   * @returns whether it lets the account in; undefined where it could not be asked
   * @throws {ContractError} StoreUnavailable
   */
  takeStanding(userId: string, standing: Standing): boolean | undefined {
    const user = this.accounts.users.get(userId);
    if (standing === "unknown" || user === undefined) return undefined;
    if (standing !== "refused") return this.accounts.ofHost(user.name, standing).id === userId;
    if (!user.refused) this.accounts.refuseOfHost(userId);
    this.credentials.endSessions(userId);
    return false;
  }

  /**
   * Asks the host again about its accounts: those that have a session or an API token, those in whose name
   * schedules and backups run, and those that it refused, which it may let in again. One after the other: PAM
   * may take its time over each. An answer that cannot be written is asked for again the next time; the
   * others are asked in any case.
   *
   * @throws {ContractError} StoreUnavailable once all were asked
   */
  async askHostAgain(stopping: AbortSignal): Promise<void> {
    if (this.host === null || !this.accounts.records.isLoaded) return;
    let failed: ContractError | undefined;
    for (const { id, name, host, disabled } of [...this.accounts.users.values()]) {
      if (host !== true || disabled) continue;
      if (stopping.aborted) break;
      const standing = await this.host.standing(name);
      try {
        this.takeStanding(id, standing);
      } catch (error) {
        if (!(error instanceof ContractError)) throw error;
        failed ??= error;
      }
    }
    if (failed !== undefined) throw failed;
  }

  /** A sign-in whose password was right. @throws {ContractError} SignInExpired, TooManyAttempts */
  #begun(challenge: string, by: Principal): { found: Challenge; user: UserRecord; key: string } {
    const key = secretHash(challenge);
    const found = this.#challenges.get(key);
    const user = found && this.accounts.users.get(found.userId);
    const isOpen = found !== undefined && elapsed(found.begun, momentOf(this.clock)) < CHALLENGE_MS &&
      user !== undefined && this.accounts.isOpen(user) && hasSecondFactor(user) &&
      user.password === found.password;
    if (!isOpen) {
      this.#challenges.delete(key);
      this.attempts.beginNameless(by);
      this.attempts.failedNameless(by);
      throw new ContractError("SignInExpired");
    }
    return { found, user, key };
  }

  #wrong(user: UserRecord | undefined, by: Principal): ContractError {
    if (user !== undefined) this.attempts.failed("code", user.name, user, by);
    else this.attempts.failedNameless(by);
    return new ContractError("SignInFailed");
  }

  /** An attempt that names no account; a device that some account knows is not held up. @throws {ContractError} */
  #beginNameless(by: Principal): void {
    const isKnown = by.device !== undefined &&
      [...this.accounts.users.values()].some((user) => isKnownDevice(user, by));
    if (!isKnown) this.attempts.beginNameless(by);
  }

  #finish(key: string | undefined, user: UserRecord, by: Principal): SignInStep {
    if (key !== undefined) this.#challenges.delete(key);
    this.attempts.succeeded(user, by);
    this.open(user, by);
    return SIGNED_IN;
  }

  /** The user with the code used up; undefined when it is wrong or was used. */
  #proven(user: UserRecord, code: string): UserRecord | undefined {
    const { secret, lastStep } = user.totp ?? {};
    if (secret !== undefined && lastStep !== undefined) {
      const step = checkCode(secret, code, this.clock.now(), lastStep);
      if (step !== null) return { ...user, totp: { secret, lastStep: step } };
    }
    const hash = secretHash(plainRecoveryCode(code));
    if (!user.recovery.includes(hash)) return undefined;
    return { ...user, recovery: user.recovery.filter((each) => each !== hash) };
  }

  /** Opens a session on a device that is known from now on; the code that led here is used up with the same write. */
  open(user: UserRecord, by: Principal): void {
    // A secret that this account does not know may be anybody's who put it into the browser.
    const device = by.device !== undefined && isKnownDevice(user, by) ? by.device : newSecret();
    by.keepSession!(this.credentials.begin(withKnown(user, by.address, device), by));
    by.keepDevice?.(device);
    by.becomes?.(user.name);
  }

  /** Makes room for one more of an account. */
  #forgetOld(userId: string): void {
    const now = momentOf(this.clock);
    for (const [key, { begun }] of this.#challenges) {
      if (elapsed(begun, now) >= CHALLENGE_MS) this.#challenges.delete(key);
    }
    const theirs = [...this.#challenges].filter(([, each]) => each.userId === userId); // the oldest is first
    for (const [key] of theirs.slice(0, Math.max(0, theirs.length + 1 - MOST_CHALLENGES))) {
      this.#challenges.delete(key);
    }
  }
}

/** @throws {ContractError} WrongDoor where no cookie can be kept */
export function requireCookies({ keepSession }: Principal): void {
  if (keepSession === undefined) throw new ContractError("WrongDoor");
}
