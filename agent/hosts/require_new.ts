/** Whether a host that is to be added or linked is one more. */
import { ContractError } from "../../lib/contract/mod.ts";
import { connectionUri } from "../libvirt/uri.ts";
import type { HostRecords } from "./records.ts";
import type { HostRegistry } from "./registry.ts";

/**
 * @param uri its connection, or the address of its KVM Manager
 * @param except id of a host that is given this connection, and keeps its name
 * @throws {ContractError} HostExists where another host has this name or connection
 */
export function requireNewHost(
  { hosts, hostRecords }: { readonly hosts: HostRegistry; readonly hostRecords: HostRecords },
  id: string,
  uri: string,
  except?: string,
): void {
  const named = except === undefined ? hosts.named(id)?.label ?? hostRecords.get(id)?.label : undefined;
  const same = named ??
    (connectionUri(hosts.local.link.uri) === uri ? hosts.local.label : undefined) ??
    hostRecords.all().find((each) => each.id !== except && each.uri === uri)?.label;
  if (same !== undefined) throw new ContractError("HostExists", { host: same });
}
