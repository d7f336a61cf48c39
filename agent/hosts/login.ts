/** The login for a host's libvirt, as calls change it. Pure. */
import { ContractError } from "../../lib/contract/mod.ts";
import type { StoredLogin } from "./records.ts";
import { message, type Sentence } from "../../lib/i18n/message.ts";

/** Login fields of a call. An empty name means no login. */
export interface LoginFields {
  readonly username?: string;
  readonly userPassword?: string;
}

/** The host's address and login before a call. */
export interface LoginBefore {
  readonly uri: string;
  readonly login?: StoredLogin;
}

const invalid = (field: keyof LoginFields, reason: Sentence) =>
  new ContractError("InvalidInput", { field, reason: message`${field} ${reason}` });

/**
 * The user and password that hold after a call: what it leaves out stays. A password that was given for one user and one
 * connection goes to no other.
 *
 * @param uri of the connection after the call
 * @throws {ContractError} InvalidInput
 */
export function loginAfter(
  { uri: uriBefore, login: before }: LoginBefore,
  uri: string,
  { username = before?.username ?? "", userPassword }: LoginFields,
  now: number,
): StoredLogin | undefined {
  if (username === "") {
    if (userPassword !== undefined) throw invalid("username", "is missing: the password is of a user");
    return undefined;
  }
  if (userPassword !== undefined) return { username, password: userPassword, since: now };
  if (before === undefined) throw invalid("userPassword", "is missing: libvirt asks for it with the user");
  if (uri !== uriBefore) throw invalid("userPassword", "must be given again: the connection is another one");
  if (username !== before.username) {
    throw invalid("userPassword", "must be given again: the user is another one");
  }
  return before;
}

/** Whether libvirt is signed in to alike. */
export const isSameLogin = (
  a: Pick<StoredLogin, "username" | "password"> | undefined,
  b: Pick<StoredLogin, "username" | "password"> | undefined,
): boolean => a?.username === b?.username && a?.password === b?.password;
