/** One-time codes of an account: switched on with the app's first code, off with the password or by an administrator. */
import { ContractError } from "../../lib/contract/errors.ts";
import type { Client } from "./attempts.ts";
import { type Clock, elapsed, type Moment, momentOf, SYSTEM_CLOCK } from "../clock.ts";
import type { Access } from "./mod.ts";
import { hasSecondFactor, type UserRecord } from "./records.ts";
import { secretHash } from "./secret.ts";
import { checkCode, newRecoveryCodes, newTotpSecret, otpauthUri, plainRecoveryCode } from "./totp.ts";

/** Milliseconds between the secret's making and the app's first code. */
const PENDING_MS = 15 * 60_000;

/** New recovery codes, and what is kept of them. */
export function freshRecovery(): { codes: string[]; hashes: string[] } {
  const codes = newRecoveryCodes();
  return { codes, hashes: codes.map((each) => secretHash(plainRecoveryCode(each))) };
}

export class SecondFactor {
  /** Secrets that are not confirmed yet, by user. */
  readonly #pending = new Map<string, { secret: string; begun: Moment }>();

  constructor(
    private readonly access: Access,
    private readonly hostname: () => string,
    private readonly clock: Clock = SYSTEM_CLOCK,
  ) {}

  /** The secret for the app; the same while it waits to be confirmed. @throws {ContractError} SecondFactorOn */
  begin(user: UserRecord): { secret: string; uri: string } {
    if (user.totp) throw new ContractError("SecondFactorOn");
    const known = this.#waiting(user.id);
    const secret = known ?? newTotpSecret();
    if (known === undefined) this.#pending.set(user.id, { secret, begun: momentOf(this.clock) });
    return { secret, uri: otpauthUri(secret, user.name, this.hostname()) };
  }

  /**
   * Switches them on.
   *
   * @param at when the code was given: milliseconds since 1970
   * @throws {ContractError} SecondFactorOn, SignInExpired, SignInFailed, TooManyAttempts, StoreUnavailable
   */
  confirm(user: UserRecord, code: string, by: Client, at: number): { recoveryCodes: string[] } {
    if (user.totp) throw new ContractError("SecondFactorOn");
    const secret = this.#waiting(user.id);
    if (secret === undefined) throw new ContractError("SignInExpired");
    const { attempts } = this.access.signIn;
    attempts.begin("code", user.name, user, by);
    const step = checkCode(secret, code, at, -1);
    if (step === null) {
      attempts.failed("code", user.name, user, by);
      throw new ContractError("SignInFailed");
    }
    attempts.succeeded(user, by);
    const { codes: recoveryCodes, hashes: recovery } = freshRecovery();
    this.access.accounts.save({ ...user, totp: { secret, lastStep: step }, recovery });
    this.#pending.delete(user.id);
    return { recoveryCodes };
  }

  /** Switches codes off; passkeys stay, and recovery codes with them. @throws {ContractError} StoreUnavailable */
  switchOff(user: UserRecord): void {
    const { totp: _gone, ...rest } = user;
    this.access.accounts.save(hasSecondFactor(rest) ? rest : { ...rest, recovery: [] });
  }

  /** Takes everything but the password away: it was lost. @throws {ContractError} StoreUnavailable */
  reset(user: UserRecord): void {
    const { totp: _code, passkeys: _keys, ...rest } = user;
    this.access.accounts.save({ ...rest, recovery: [] });
  }

  #waiting(userId: string): string | undefined {
    const found = this.#pending.get(userId);
    return found && elapsed(found.begun, momentOf(this.clock)) < PENDING_MS ? found.secret : undefined;
  }
}
