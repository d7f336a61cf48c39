/** The commands on passkeys. */
import { type CommandName, ContractError, type passkeyCommands } from "../../lib/contract/mod.ts";
import type { Principal } from "../access.ts";
import type { Handlers } from "../dispatch.ts";
import type { Access } from "./mod.ts";
import { type PasskeyRecord, shownPasskey, type UserRecord } from "./records.ts";
import { askForPasskey, confirmByPasskey, ownAccount, reauthenticate } from "./reauthentication.ts";
import { freshRecovery } from "./second_factor.ts";

type PasskeyHandlers = Pick<Handlers, Extract<CommandName, keyof typeof passkeyCommands>>;

/** A handler for each of them. */
export function passkeyHandlers(access: Access): PasskeyHandlers {
  const { accounts, passkeys, signIn } = access;
  const own = (principal: Principal) => ownAccount(access, principal);
  /** @throws {ContractError} PasskeyNotFound */
  const find = ({ passkeys = [] }: UserRecord, passkeyId: string): PasskeyRecord => {
    const found = passkeys.find(({ id }) => id === passkeyId);
    if (!found) throw new ContractError("PasskeyNotFound", { passkeyId });
    return found;
  };

  return {
    begin_passkey: async ({ password }, { principal }) =>
      passkeys.creation(await reauthenticate(access, principal, password), principal),
    add_passkey: async ({ name, attestation }, { principal }) => {
      own(principal);
      const made = await passkeys.created(name, attestation, principal);
      const isKnown = [...accounts.users.values()].some((each) =>
        each.passkeys?.some(({ credential }) => credential === made.credential)
      );
      if (isKnown) throw new ContractError("PasskeyRefused", { reason: "it is known already" });
      const user = own(principal); // as it is now: the check took a while
      const fresh = user.recovery.length === 0 ? freshRecovery() : undefined;
      accounts.save({
        ...user,
        passkeys: [...user.passkeys ?? [], made],
        ...(fresh && { recovery: fresh.hashes }),
      });
      return { passkey: shownPasskey(made), recoveryCodes: fresh?.codes ?? [] };
    },
    list_passkeys: (_input, { principal }) => (own(principal).passkeys ?? []).map(shownPasskey),
    rename_passkey: ({ passkeyId, name }, { principal }) => {
      const user = own(principal);
      const renamed = { ...find(user, passkeyId), name };
      accounts.save({
        ...user,
        passkeys: user.passkeys!.map((each) => each.id === passkeyId ? renamed : each),
      });
      return shownPasskey(renamed);
    },
    remove_passkey: async ({ passkeyId, password }, { principal }) => {
      find(own(principal), passkeyId);
      const user = await reauthenticate(access, principal, password);
      const passkeys = (user.passkeys ?? []).filter(({ id }) => id !== passkeyId);
      const isLast = passkeys.length === 0 && user.totp === undefined;
      accounts.save({ ...user, passkeys, ...(isLast && { recovery: [] }) });
      return null;
    },
    begin_reauthentication: (_input, { principal }) => askForPasskey(access, principal),
    reauthenticate: async ({ password, assertion }, { principal }) => {
      if ((password === undefined) === (assertion === undefined)) {
        throw new ContractError("InvalidInput", { reason: "give either password or assertion" });
      }
      if (assertion !== undefined) await confirmByPasskey(access, principal, assertion);
      else await reauthenticate(access, principal, password);
      return { confirmedUntil: access.confirmations.until(principal.holder)! };
    },
    begin_passkey_sign_in: ({ challenge }, { principal }) => signIn.beginPasskey(challenge, principal),
    sign_in_with_passkey: ({ challenge, assertion }, { principal }) =>
      signIn.passkey(challenge, assertion, principal),
  };
}
