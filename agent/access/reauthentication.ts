/**
 * Reauthentication: commands that open the system for good, or change who can sign in, need a proof that the
 * session is still its owner's, as it may be stolen. The password or a passkey is one, and holds for the same
 * session for a few minutes.
 */
import { ContractError, type PasskeyAssertion, type PasskeyRequest } from "../../lib/contract/mod.ts";
import type { Principal } from "../access.ts";
import type { Access } from "./mod.ts";
import type { UserRecord } from "./records.ts";

/** The account of who asks, at a session: a token must not be able to make itself more. @throws {ContractError} NoAccount */
export function ownAccount({ accounts }: Pick<Access, "accounts">, { via, userId }: Principal): UserRecord {
  if (via !== "session" || userId === undefined) throw new ContractError("NoAccount");
  return accounts.user(userId);
}

/**
 * Has somebody at a session show that it is them: by the present password, or by what they have shown just now. It is
 * slowed down like a sign-in, but only by the caller's own attempts.
 *
 * @returns the account as it is afterwards
 * @throws {ContractError} NoAccount, PasswordNeeded, SignInFailed, TooManyAttempts, TooManyRequests
 */
export async function reauthenticate(
  access: Pick<Access, "accounts" | "signIn" | "confirmations">,
  principal: Principal,
  password: string | undefined,
): Promise<UserRecord> {
  const user = ownAccount(access, principal);
  if (password === undefined) {
    if (access.confirmations.until(principal.holder) === null) throw new ContractError("PasswordNeeded");
    return user;
  }
  access.signIn.attempts.succeeded(await access.signIn.check(user.name, password, principal), principal);
  access.confirmations.confirm(principal.holder);
  return ownAccount(access, principal);
}

/**
 * The same for what administrators do to others. Root at the socket and API tokens are asked nothing: programs use them,
 * and neither is kept by a browser.
 *
 * @throws {ContractError} PasswordNeeded
 */
export async function requireConfirmed(
  access: Pick<Access, "accounts" | "signIn" | "confirmations">,
  principal: Principal,
): Promise<void> {
  if (principal.via === "session") await reauthenticate(access, principal, undefined);
}

/** Purpose of a passkey's challenge, for this session only. */
const purposeOf = ({ holder }: Principal) => `confirm ${holder}`;

/**
 * Options for the browser to use one of the user's own passkeys, as a proof that the session is theirs.
 *
 * @throws {ContractError} NoAccount, PasskeyRefused, PasskeyNeedsName, WrongDoor
 */
export function askForPasskey(
  access: Pick<Access, "accounts" | "passkeys">,
  principal: Principal,
): PasskeyRequest {
  const request = access.passkeys.request(
    purposeOf(principal),
    ownAccount(access, principal).passkeys ?? [],
    principal,
    "required",
  );
  if (request.allowCredentials.length > 0) return request;
  throw new ContractError("PasskeyRefused", { reason: "none of yours is for this host name" });
}

/** Takes a passkey's answer for the proof. @throws {ContractError} NoAccount, SignInFailed, TooManyAttempts, WrongDoor */
export async function confirmByPasskey(
  access: Pick<Access, "accounts" | "signIn" | "passkeys" | "confirmations">,
  principal: Principal,
  assertion: PasskeyAssertion,
): Promise<void> {
  const before = ownAccount(access, principal);
  const { attempts } = access.signIn;
  attempts.begin("code", before.name, before, principal);
  const used = await access.passkeys.check(purposeOf(principal), assertion, before, principal, "required");
  const user = ownAccount(access, principal); // as it is now: the check took a while
  if (used === undefined || !user.passkeys?.some(({ id }) => id === used.id)) {
    attempts.failed("code", user.name, user, principal);
    throw new ContractError("SignInFailed");
  }
  attempts.succeeded(user, principal);
  access.accounts.save({ ...user, passkeys: user.passkeys.map((each) => each.id === used.id ? used : each) });
  access.confirmations.confirm(principal.holder);
}
