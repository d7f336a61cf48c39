/** The commands on users, sessions, roles and tokens. */
import { PERMISSIONS } from "../../lib/access/permissions.ts";
import { isAdministrator, may, seesEverything, toldRights } from "../../lib/access/rights.ts";
import { BROWSER_LANGUAGE } from "../../lib/i18n/languages.ts";
import { locales } from "../../lib/i18n/locale.ts";
import { isZone, ZONE_CHOICES } from "../../lib/i18n/zone_choice.ts";
import {
  type accessCommands,
  type CommandName,
  ContractError,
  type Grant,
  type SignedIn,
  type sshKeyCommands,
} from "../../lib/contract/mod.ts";
import type { Principal, Via } from "../access.ts";
import type { Handlers } from "../dispatch.ts";
import type { ActivityLog } from "../store/activity.ts";
import type { Coverage } from "../coverage/coverage.ts";
import { uncoveredBy } from "./covers.ts";
import type { Access } from "./mod.ts";
import { shownUser } from "./records.ts";
import { requireCookies, SIGNED_IN } from "./sign_in.ts";
import { ownAccount, reauthenticate } from "./reauthentication.ts";
import type { AccountSshKeys } from "./ssh_keys.ts";
import { SecondFactor } from "./second_factor.ts";

type AccessHandlers = Pick<
  Handlers,
  Extract<CommandName, keyof typeof accessCommands | keyof typeof sshKeyCommands>
>;
/** Services for the commands on users and roles: access, SSH keys, the activity log, and look-up of hosts and projects. */
interface AccessServices {
  readonly access: Access;
  readonly coverage: Pick<Coverage, "uncovered">;
  readonly sshKeys: AccountSshKeys;
  readonly activity: ActivityLog;
  /** Address of the pages: `http://127.0.0.1:8440`. */
  readonly address: () => string;
  readonly hostname: () => string;
  /** The id of the host that has an id or a name; undefined for none. */
  readonly hostId: (host: string) => string | undefined;
  /** The id of the project that has an id or a name. @throws {ContractError} ProjectNotFound */
  readonly projectId: (project: string) => string;
}

/** Names in grants that no VM and no host has. */
const uncoveredOf = (
  { coverage, hostId }: AccessServices,
  { grants }: { readonly grants: readonly Grant[] },
) => uncoveredBy(grants, coverage, (host) => hostId(host) !== undefined);

/**
 * Grants by the ids of their hosts and projects: those to come must not be given beforehand.
 *
 * @param before the earlier grants: their hosts need not exist
 * @throws {ContractError} HostNotFound, ProjectNotFound
 */
const onHosts = (
  { hostId, projectId }: Pick<AccessServices, "hostId" | "projectId">,
  grants: readonly Grant[],
  before: readonly Grant[] = [],
): Grant[] =>
  grants.map(({ role, on }) => {
    if (on.kind === "project") return { role, on: { kind: "project", project: projectId(on.project) } };
    if (on.kind !== "host") return { role, on };
    const isKept = before.some((each) => each.on.kind === "host" && each.on.host === on.host);
    const id = isKept ? on.host : hostId(on.host);
    if (id === undefined) throw new ContractError("HostNotFound", { host: on.host });
    return { role, on: { kind: "host", host: id } };
  });

/**
 * Owner whose sessions and tokens a principal may change: their own id; undefined for administrators, who may
 * change all.
 */
const reach = ({ rights, userId, via }: Principal): string | undefined => {
  if (isAdministrator(rights)) return undefined;
  if (via !== "session" || userId === undefined) throw new ContractError("NoAccount");
  return userId;
};
/**
 * Owner whose sessions and tokens a list shows: undefined (all users) for administrators who ask for all,
 * otherwise the principal.
 */
function listed(principal: Principal, all: boolean | undefined): string | undefined {
  const whose = reach(principal);
  return all ? whose : principal.userId ?? whose;
}

/** Sessions: signing in and out, and the first account. */
function signInHandlers({ access, address }: AccessServices) {
  const { accounts, credentials, signIn, setup } = access;
  return {
    get_session: (_input, { principal }): SignedIn => {
      const { name, via, userId, rights } = principal;
      return {
        name,
        via: via as Exclude<Via, "agent" | "nobody">, // dispatch refuses callers without a sign-in, and the agent does not ask
        user: userId === undefined ? null : shownUser(accounts.user(userId)),
        administrator: isAdministrator(rights),
        confirmedUntil: access.confirmations.until(principal.holder),
        permissions: [...PERMISSIONS.keys()].filter((each) => may(rights, each, "everything")),
        allowances: toldRights(rights),
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
      if (!setup.fits(key)) { // the right one opens, whoever else tries
        signIn.attempts.beginNameless(principal);
        signIn.attempts.failedNameless(principal);
      }
      const giveBack = setup.redeem(key);
      try {
        const user = await accounts.create({
          name,
          password,
          grants: [{ role: "administrator", on: { kind: "everything" } }],
        });
        signIn.open(user, principal);
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
    list_sessions: ({ all }, { principal }) => credentials.sessions(principal.holder, listed(principal, all)),
    revoke_session: ({ sessionId }, { principal }) => {
      credentials.endSession(sessionId, reach(principal));
      return null;
    },
  } satisfies Partial<AccessHandlers>;
}

/** Commands by which users change their own account. */
function ownAccountHandlers({ access, sshKeys, hostname }: AccessServices) {
  const { accounts, credentials } = access;
  const secondFactor = new SecondFactor(access, hostname, access.clock);
  const own = (principal: Principal) => ownAccount(access, principal);
  return {
    get_ssh_keys: (_input, { principal }) => ({ sshKeys: [...sshKeys.of(principal)] }),
    set_ssh_keys: ({ sshKeys: keys }, { principal }) => {
      sshKeys.set(principal, keys);
      return null;
    },
    set_password: async ({ current, password, revokeTokens = true }, { principal }) => {
      const { name, host } = own(principal);
      if (host) throw new ContractError("HostAccount", { name });
      await reauthenticate(access, principal, current);
      const hash = await accounts.acceptPassword(password, [name]);
      accounts.save({ ...own(principal), password: hash });
      credentials.endSessions(principal.userId!, principal.holder);
      if (revokeTokens) credentials.endTokens(principal.userId!);
      return null;
    },
    set_time_zone: ({ timeZone }, { principal }) => {
      const isKnown = ZONE_CHOICES.some((choice) => choice === timeZone) || isZone(timeZone);
      if (!isKnown) {
        const reason = "timeZone is no time zone. Give its IANA name, as Europe/Berlin, or host, or browser";
        throw new ContractError("InvalidInput", { reason, field: "timeZone" });
      }
      accounts.save({ ...own(principal), timeZone });
      return null;
    },
    set_language: ({ language }, { principal }) => {
      if (language !== BROWSER_LANGUAGE && !locales().includes(language)) {
        const reason = `there are no texts in that language. Give ${BROWSER_LANGUAGE}, or one of ${
          locales().join(", ")
        }`;
        throw new ContractError("InvalidInput", { reason, field: "language" });
      }
      accounts.save({ ...own(principal), language });
      return null;
    },
    begin_totp: (_input, { principal }) => secondFactor.begin(own(principal)),
    confirm_totp: async ({ code, password }, { principal }) => {
      const at = access.clock.now(); // the check of a password takes a while, and the code is of now
      const user = await reauthenticate(access, principal, password);
      return secondFactor.confirm(user, code, principal, at);
    },
    disable_totp: async ({ password }, { principal }) => {
      secondFactor.switchOff(await reauthenticate(access, principal, password));
      return null;
    },
    reset_second_factor: ({ userId }) => {
      secondFactor.reset(accounts.user(userId));
      return null;
    },
  } satisfies Partial<AccessHandlers>;
}

/** Accounts and roles. */
function userHandlers(services: AccessServices) {
  const { access: { accounts, credentials }, sshKeys } = services;
  return {
    list_users: () => accounts.list().map((user) => ({ ...user, ...uncoveredOf(services, user) })),
    create_user: async (input) => {
      const grants = onHosts(services, input.grants ?? []);
      return accounts.shown(await accounts.create({ ...input, grants }));
    },
    update_user: async ({ revokeTokens = true, ...input }) => {
      const grants = input.grants &&
        onHosts(services, input.grants, accounts.users.get(input.userId)?.grants);
      const user = accounts.shown(
        await accounts.update({ ...input, ...(grants !== undefined && { grants }) }),
      );
      // Whoever's password is set by another was locked out, or must be.
      if (input.password !== undefined || input.disabled) credentials.endSessions(input.userId);
      if (input.password !== undefined && revokeTokens) credentials.endTokens(input.userId);
      return user;
    },
    delete_user: ({ userId }) => {
      accounts.delete(userId);
      sshKeys.forget(userId);
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
  } satisfies Partial<AccessHandlers>;
}

/** Tokens. */
function tokenHandlers(services: AccessServices) {
  const { access } = services, { accounts, credentials } = access;
  return {
    list_tokens: ({ all }, { principal }) =>
      credentials.tokens(listed(principal, all)).map((token) => ({
        ...token,
        // Which VMs, groups and hosts there are is for who sees them all
        ...(seesEverything(principal.rights) && uncoveredOf(services, token)),
      })),
    create_token: async ({ name, grants = [], expiresInDays = 90, userId, password }, { principal }) => {
      if (principal.via === "token") throw new ContractError("NoAccount");
      const other = userId !== undefined && userId !== principal.userId;
      if (other && !isAdministrator(principal.rights)) {
        throw new ContractError("Forbidden", { role: "administrator" });
      }
      if (userId === undefined && principal.userId === undefined) {
        throw new ContractError("InvalidInput", {
          reason: "userId is missing: root has no account of its own. Name the user that the token is for " +
            "(--user-id on the command line)",
          field: "userId",
        });
      }
      if (principal.via === "session") await reauthenticate(access, principal, password);
      const owner = userId === undefined ? ownAccount(access, principal) : accounts.user(userId);
      return credentials.makeToken(owner, name, onHosts(services, grants), expiresInDays);
    },
    revoke_token: ({ tokenId }, { principal }) => {
      credentials.endToken(tokenId, reach(principal));
      return null;
    },
  } satisfies Partial<AccessHandlers>;
}

/** A handler for each of them. */
export function accessHandlers(services: AccessServices): AccessHandlers {
  return {
    ...signInHandlers(services),
    ...ownAccountHandlers(services),
    ...userHandlers(services),
    ...tokenHandlers(services),
    get_audit_log: (input) => services.activity.search(input),
  };
}
