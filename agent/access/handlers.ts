/** The commands on users, sessions, roles and tokens. */
import { PERMISSIONS } from "../../lib/access/permissions.ts";
import { isAdministrator, may } from "../../lib/access/rights.ts";
import {
  type accessCommands,
  type CommandName,
  ContractError,
  type SignedIn,
} from "../../lib/contract/mod.ts";
import type { Principal, Via } from "../access.ts";
import type { Handlers } from "../dispatch.ts";
import type { ActivityLog } from "../store/activity.ts";
import { acceptPassword, type Accounts } from "./accounts.ts";
import type { Access } from "./mod.ts";
import { shownUser, type UserRecord } from "./records.ts";
import { requireCookies, SIGNED_IN } from "./sign_in.ts";
import { SecondFactor } from "./second_factor.ts";

type AccessHandlers = Pick<Handlers, Extract<CommandName, keyof typeof accessCommands>>;

/** The account of who asks, at a session: a token must not be able to make itself more. @throws {ContractError} NoAccount */
export const ownAccountIn = (accounts: Accounts) => ({ via, userId }: Principal): UserRecord => {
  if (via !== "session" || userId === undefined) throw new ContractError("NoAccount");
  return accounts.user(userId);
};

/** A handler for each of them. */
export function accessHandlers(
  { access, activity, address, hostname }: {
    access: Access;
    activity: ActivityLog;
    /** Where people reach the pages: `http://127.0.0.1:8440`. */
    address: () => string;
    hostname: () => string;
  },
): AccessHandlers {
  const { accounts, credentials, signIn, setup } = access;
  const secondFactor = new SecondFactor(access, hostname);

  const ownAccount = ownAccountIn(accounts);
  /** Whose things somebody may touch: their own; nobody's limit for administrators. */
  const reach = ({ rights, userId, via }: Principal): string | undefined => {
    if (isAdministrator(rights)) return undefined;
    if (via !== "session" || userId === undefined) throw new ContractError("NoAccount");
    return userId;
  };
  const listed = (principal: Principal, all: boolean | undefined): string | undefined => {
    const whose = reach(principal);
    return all ? whose : principal.userId ?? whose;
  };

  return {
    get_session: (_input, { principal }): SignedIn => {
      const { name, via, userId, rights } = principal;
      return {
        name,
        via: via as Exclude<Via, "nobody">, // dispatch lets nobody in
        user: userId === undefined ? null : shownUser(accounts.user(userId)),
        administrator: isAdministrator(rights),
        permissions: [...PERMISSIONS.keys()].filter((each) => may(rights, each, "everything")),
      };
    },
    sign_in: ({ name, password }, { principal }) => signIn.password(name, password, principal),
    confirm_sign_in: ({ challenge, code }, { principal }) => signIn.code(challenge, code, principal),
    sign_out: (_input, { principal }) => {
      const { via, holder, userId, keepSession } = principal;
      if (via === "session") credentials.endSession(holder.replace(/^session:/, ""), userId);
      keepSession?.(null);
      return null;
    },
    set_up: async ({ key, name, password }, { principal }) => {
      requireCookies(principal);
      signIn.addressThrottle.check(principal.address);
      if (!setup.fits(key)) signIn.addressThrottle.failed(principal.address);
      const giveBack = setup.redeem(key);
      try {
        const user = await accounts.create({
          name,
          password,
          grants: [{ role: "administrator", on: { kind: "everything" } }],
        });
        principal.keepSession!(credentials.begin(user, principal));
        principal.becomes?.(user.name);
      } catch (error) {
        giveBack();
        throw error;
      }
      return SIGNED_IN;
    },
    create_setup_link: () => {
      const { key, expiresAt } = setup.issue();
      return { url: `${address()}/setup?key=${key}`, expiresAt };
    },
    set_password: async ({ current, password }, { principal }) => {
      const { name, host } = ownAccount(principal);
      if (host) throw new ContractError("HostAccount", { name });
      await signIn.check(name, current, principal);
      signIn.accountThrottle.succeeded(name);
      const hash = await acceptPassword(password, [name]);
      accounts.save({ ...ownAccount(principal), password: hash });
      credentials.endSessions(principal.userId!, principal.holder);
      return null;
    },
    begin_totp: (_input, { principal }) => secondFactor.begin(ownAccount(principal)),
    confirm_totp: ({ code }, { principal }) => secondFactor.confirm(ownAccount(principal), code),
    disable_totp: async ({ password }, { principal }) => {
      const { name } = ownAccount(principal);
      await signIn.check(name, password, principal);
      signIn.accountThrottle.succeeded(name);
      secondFactor.switchOff(ownAccount(principal));
      return null;
    },
    list_users: () => accounts.list(),
    create_user: async (input) => shownUser(await accounts.create(input)),
    update_user: async (input) => {
      const user = shownUser(await accounts.update(input));
      // Whoever's password is set by another was locked out, or must be.
      if (input.password !== undefined || input.disabled) credentials.endSessions(input.userId);
      return user;
    },
    delete_user: ({ userId }) => {
      accounts.delete(userId);
      return null;
    },
    reset_second_factor: ({ userId }) => {
      secondFactor.reset(accounts.user(userId));
      return null;
    },
    list_sessions: ({ all }, { principal }) => credentials.sessions(principal.holder, listed(principal, all)),
    revoke_session: ({ sessionId }, { principal }) => {
      credentials.endSession(sessionId, reach(principal));
      return null;
    },
    list_roles: () => accounts.roles(),
    list_permissions: () =>
      [...PERMISSIONS.values()].map(({ name, role, grantable, commands }) => ({
        permission: name,
        role,
        grantable,
        commands: [...commands],
      })),
    create_role: (input) => accounts.putRole(input, true),
    update_role: (input) => accounts.putRole(input, false),
    delete_role: ({ role }) => {
      accounts.deleteRole(role);
      return null;
    },
    list_tokens: ({ all }, { principal }) => credentials.tokens(listed(principal, all)),
    create_token: ({ name, grants = [], expiresInDays = 90, userId }, { principal }) => {
      if (principal.via === "token") throw new ContractError("NoAccount");
      const other = userId !== undefined && userId !== principal.userId;
      if (other && !isAdministrator(principal.rights)) {
        throw new ContractError("Forbidden", { role: "administrator" });
      }
      const owner = userId === undefined ? ownAccount(principal) : accounts.user(userId);
      return credentials.makeToken(owner, name, grants, expiresInDays);
    },
    revoke_token: ({ tokenId }, { principal }) => {
      credentials.endToken(tokenId, reach(principal));
      return null;
    },
    get_audit_log: (input) => activity.search(input),
  };
}
