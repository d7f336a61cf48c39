/** Redacts the connections of further hosts: address and user are for users who may change them. Pure. */
import { mayCall } from "./may_call.ts";
import type { Rights } from "./rights.ts";
import { hosts as texts } from "../i18n/en/hosts.ts";
import { textsOf } from "../i18n/mod.ts";

const { t } = textsOf(texts);

/** The same without what these rights do not show. An error of libvirt or SSH may name the address, too. */
export function shownConnection<T extends { readonly uri: string; readonly error: string | null }>(
  connection: T,
  rights: Rights,
): T {
  if (mayCall(rights, "add_host")) return connection;
  return { ...connection, uri: "", error: connection.error === null ? null : t("hosts.not_connected") };
}
