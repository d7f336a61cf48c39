/** Work that somebody leaves behind, to be done later with the rights that they have then: schedules. */
import { ALL_RIGHTS, isAdministrator } from "../../lib/access/rights.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import { type Principal, principalOf } from "../access.ts";
import type { Access } from "./mod.ts";

/** Who left work behind: an account, one of its API tokens, root at the socket, or whoever tries the demo. */
export type Delegator =
  | { readonly kind: "user"; readonly name: string; readonly userId: string }
  | { readonly kind: "token"; readonly name: string; readonly tokenId: string }
  | { readonly kind: "host"; readonly name: string }
  | { readonly kind: "demo"; readonly name: string };

/** What a caller is later. @throws {ContractError} NoAccount for who has none, and is not root's equal either */
export function delegatorOf({ via, name, userId, holder, rights }: Principal): Delegator {
  if (via === "token") return { kind: "token", name, tokenId: holder.slice("token:".length) };
  if (via === "session" && userId !== undefined) return { kind: "user", name, userId };
  if (via === "demo") return { kind: "demo", name };
  // What a group of the host allows at the socket cannot be asked later.
  if (via === "socket" && isAdministrator(rights)) return { kind: "host", name };
  throw new ContractError("NoAccount");
}

/**
 * Somebody who left work behind, with the rights of this moment: never more than they have now.
 *
 * @param holder what stands for the work
 * @returns the principal, or why there is none any more: the end of a sentence
 * @throws {ContractError} StoreUnavailable while the accounts are not known
 */
export function delegateFor(
  { accounts, credentials, isDemo }: Pick<Access, "accounts" | "credentials" | "isDemo">,
  by: Delegator,
  holder: string,
): Principal | string {
  const common = { door: "schedule", holder } as const;
  if (by.kind === "demo") {
    if (!isDemo) return "the demo is over";
    return principalOf({ ...common, name: by.name, via: "demo", rights: ALL_RIGHTS });
  }
  if (by.kind === "host") {
    return principalOf({ ...common, name: by.name, via: "socket", rights: ALL_RIGHTS });
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
  const { id: userId, name, grants } = user;
  return principalOf({ ...common, name, userId, via: "session", rights: [accounts.layer(grants)] });
}
