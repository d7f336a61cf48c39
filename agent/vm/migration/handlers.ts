/** The commands that move VMs to other hosts. */
import type { migrationCommands } from "../../../lib/contract/mod.ts";
import type { Handlers } from "../../dispatch.ts";
import type { Host } from "../../hosts/host.ts";
import { migrateVm, migrationPlan, type MigrationWorld } from "./outgoing.ts";

/** A handler for each of them. */
export const migrationHandlers = (
  host: Host,
  world: MigrationWorld,
): Pick<Handlers, keyof typeof migrationCommands> => ({
  get_migration_plan: (input, { principal }) => migrationPlan(host, world, input, principal),
  migrate_vm: (input, { principal }) => migrateVm(host, world, input, principal),
});
