/** Work that somebody leaves behind, to be done later with the rights that they have then: schedules. */
import { userIds } from "../../ffi/libc.ts";
import { ALL_RIGHTS } from "../../lib/access/rights.ts";
import type { Role } from "../../lib/contract/command.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import { type Principal, principalOf, socketPrincipal } from "../access.ts";
import type { Access } from "./mod.ts";

/**
 * The principal who left work behind: an account, one of its API tokens, a user of this host at the socket,
 * or a visitor of the demo.
 */
export type Delegator = DelegatorKind & {
  /** It was left by MCP, whose limits hold later as well. */
  readonly mcp?: true;
};

type DelegatorKind =
  | { readonly kind: "user"; readonly name: string; readonly userId: string }
  | { readonly kind: "token"; readonly name: string; readonly tokenId: string }
  /** Without a uid: written down by an earlier version. */
  | { readonly kind: "host"; readonly name: string; readonly uid?: number }
  /** By a linked KVM Manager. @property rights as they were there, as {@link callerHeader} has them */
  | { readonly kind: "link"; readonly name: string; readonly peerId: string; readonly caller: string | null }
  | { readonly kind: "demo"; readonly name: string };

/**
 * The delegator that a principal is stored as. @throws {ContractError} NoAccount for a principal without an
 * account
 */
export function delegatorOf(principal: Principal): Delegator {
  const isByMcp = principal.door === "mcp" || principal.leftByMcp === true;
  return { ...kindOf(principal), ...(isByMcp && { mcp: true }) };
}

function kindOf({ via, name, userId, holder, uid, link }: Principal): DelegatorKind {
  if (link !== undefined) return { kind: "link", name, ...link };
  if (via === "token") return { kind: "token", name, tokenId: holder.slice("token:".length) };
  if (via === "session" && userId !== undefined) return { kind: "user", name, userId };
  if (via === "demo") return { kind: "demo", name };
  if (via === "socket") return { kind: "host", name, ...(uid !== undefined && { uid }) };
  throw new ContractError("NoAccount");
}

/** Rights of a user of a linked KVM Manager. */
export type LinkedUser = Pick<Principal, "rights" | "toldLimits" | "leftByMcp">;

/** Look-ups of the present rights. */
export interface DelegationWorld {
  readonly access: Pick<Access, "accounts" | "credentials" | "isDemo">;
  /** Present role of a user of this host at the socket. */
  socketRoleOf(uid: number): Role | undefined;
  /**
   * Present rights of a user of a linked KVM Manager, within the rights of that time and the limits that it
   * sent; undefined if it may not act here any more.
   */
  linkedUser(peerId: string, caller: string | null): LinkedUser | undefined;
}

/**
 * A principal for work that was left behind, with the rights of this moment: never more than its user has
 * now.
 *
 * @param holder id that stands for the work
 * @returns the principal, or the reason why there is none any more: the end of a sentence
 * @throws {ContractError} StoreUnavailable while the accounts are not known
 */
export function delegateFor(
  app: DelegationWorld,
  by: Delegator,
  holder: string,
): Principal | string {
  const { accounts, credentials, isDemo } = app.access;
  const common = {
    ...{ door: "schedule", holder } as const,
    ...(by.mcp === true && { leftByMcp: true as const }),
  };
  if (by.kind === "demo") {
    if (!isDemo) return "the demo is over";
    return principalOf({ ...common, name: by.name, via: "demo", rights: ALL_RIGHTS });
  }
  if (by.kind === "host") {
    const uid = by.uid ?? userIds(by.name)?.uid, role = uid === undefined ? undefined : app.socketRoleOf(uid);
    if (uid === undefined || role === undefined) {
      return "that user of the host may not use the socket any more";
    }
    return { ...socketPrincipal({ uid, name: by.name, role }), ...common };
  }
  if (by.kind === "link") {
    const user = app.linkedUser(by.peerId, by.caller);
    if (user === undefined) {
      return "the KVM Manager by which it was saved may not act on this host any more";
    }
    return principalOf({ ...user, ...common, name: by.name, via: "link" });
  }
  accounts.records.require();
  if (by.kind === "token") {
    const found = credentials.tokenById(by.tokenId);
    if (!found) {
      return "the API token by which it was saved was revoked, has expired, or its account is disabled";
    }
    const { user: { id: userId, name }, rights, ended } = found;
    return principalOf({ ...common, name, userId, via: "token", rights, ended });
  }
  const user = accounts.users.get(by.userId);
  if (!user) return "that account was deleted";
  if (user.disabled) return "that account is disabled";
  if (!accounts.isOpen(user)) return "the host does not let that account in any more";
  const { id: userId, name } = user;
  return principalOf({ ...common, name, userId, via: "session", rights: accounts.rightsOf(user) });
}
