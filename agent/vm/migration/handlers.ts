/** The commands that move VMs to other hosts. */
import type { migrationCommands } from "../../../lib/contract/mod.ts";
import type { Handlers } from "../../dispatch.ts";
import type { Host } from "../../hosts/host.ts";
import type { LinkedHosts } from "../../hosts/linked/linked_hosts.ts";
import { migrateVm, migrationPlan } from "./outgoing.ts";

/** A handler for each of them. */
export const migrationHandlers = (
  host: Host,
  linked: Pick<LinkedHosts, "served">,
): Pick<Handlers, keyof typeof migrationCommands> => ({
  get_migration_plan: (input, { principal }) => migrationPlan(host, linked, input, principal),
  migrate_vm: (input, { principal }) => migrateVm(host, linked, input, principal),
});
