/**
 * Moves of VMs of linked hosts. The KVM Manager of the VM's host moves it, by its own link to the destination. The destination is
 * named by its key, because each KVM Manager has its own names for hosts.
 */
import { ContractError } from "../../../lib/contract/mod.ts";
import { LOCAL_HOST } from "../../../lib/contract/local_host.ts";
import type { CallContext } from "../../dispatch.ts";
import { nameOfKey } from "../../hosts/linked/key_name.ts";
import type { LinkIdentity } from "../../hosts/linked/identity.ts";
import type { LinkedHost } from "../../hosts/linked/linked_host.ts";
import type { LinkedHosts } from "../../hosts/linked/linked_hosts.ts";
import type { HostRegistry } from "../../hosts/registry.ts";
import { t } from "./findings.ts";
import { requireMayBring } from "./rights.ts";

/** The commands that name a host to move to. */
export const MIGRATION_COMMANDS = ["migrate_vm", "get_migration_plan"] as const;
export type MigrationCommand = typeof MIGRATION_COMMANDS[number];

/** Hosts among which the destination is looked up. */
export interface LinkedWorld {
  readonly hosts: Pick<HostRegistry, "local">;
  readonly linked: Pick<LinkedHosts, "served">;
  readonly identity: LinkIdentity;
}

/** The key of the host that is named. @throws {ContractError} HostNotFound */
async function keyOf(
  { hosts: { local }, linked, identity }: LinkedWorld,
  toHost: string,
): Promise<{ id: string; key: string }> {
  if (toHost === LOCAL_HOST || toHost === local.label) {
    return { id: LOCAL_HOST, key: (await identity.ready()).publicKey };
  }
  const host = linked.served(toHost);
  if (host === undefined) throw new ContractError("HostNotFound", { host: toHost });
  return { id: host.id, key: host.peer.publicKey };
}

/**
 * Has the KVM Manager of a VM's host move it, or tell whether it can.
 *
 * @throws {ContractError} HostNotFound, VmNotMovable, Forbidden for who may not bring VMs to that host; what the other one refuses with
 */
export async function migrateFrom(
  world: LinkedWorld,
  from: LinkedHost,
  command: MigrationCommand,
  input: { readonly toHost: string },
  context: CallContext,
): Promise<unknown> {
  const { toHost } = input, { id: hostId, key } = await keyOf(world, toHost);
  if (hostId === from.id) {
    throw new ContractError("VmNotMovable", { host: toHost, reason: t("migration.same_host") });
  }
  // The KVM Manager of the VM's host knows no rights that are given here
  requireMayBring(context.principal.rights, { hostId });
  const answer = await from.run(command, { ...input, toHost: nameOfKey(key) }, context);
  return command === "migrate_vm" ? { ...answer as object, toHost } : answer;
}
