/** Writes the past of the demo with the product's own repositories, before anything else has the data folder open. */
import { FEATURES } from "../../features.ts";
import { Store } from "../../store/store.ts";
import { seedActivity } from "./activity.ts";
import { seedAlerts } from "./alerts.ts";
import { seedBackups } from "./backups.ts";
import { seedHosts } from "./hosts.ts";
import { seedJobs } from "./jobs.ts";
import { seedBin, seedPlacement, seedTemplates } from "./kept.ts";
import { seedMetrics } from "./metrics.ts";
import type { Seeding } from "./moment.ts";
import { seedPeople } from "./people.ts";
import { seedProfiles } from "./profiles.ts";
import { seedProjects } from "./projects.ts";
import { seedSchedules } from "./schedules.ts";
import { HostRecords } from "../../hosts/records.ts";

/** Writers of the past, one noun after the other. */
const SEEDS: readonly ((seeding: Seeding) => void | Promise<void>)[] = [
  seedPeople,
  seedProjects,
  seedProfiles,
  seedSchedules,
  seedBackups,
  seedAlerts,
  seedActivity,
  seedJobs,
  seedTemplates,
  seedBin,
  seedPlacement,
  seedMetrics,
  // Last: a folder that has the hosts has all of it
  seedHosts,
];

/**
 * Writes a month of the past into a data folder, unless an earlier start did.
 *
 * @param now milliseconds since 1970
 * @throws {StoreError} if the database cannot be used
 */
export async function seedDemo(dataDir: string, now: number): Promise<void> {
  const tables = FEATURES.map(({ name, migrations = [] }) => ({ name, migrations }));
  const store = new Store(dataDir, undefined, tables);
  try {
    if (new HostRecords(store).all().length > 0) return;
    for (const seed of SEEDS) await seed({ store, dataDir, now });
  } finally {
    store.close();
  }
}
