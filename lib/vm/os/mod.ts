/** Operating systems: the database's and our own, as one list. */
import type { OperatingSystem } from "../../contract/create.ts";
import { BUILTIN_SYSTEMS, GENERIC } from "./builtin.ts";

export { BUILTIN_SYSTEMS, GENERIC } from "./builtin.ts";
export { readOsinfo } from "./osinfo.ts";

/** The database's systems, and those of ours that it has not: by kind, then by name. */
export function mergeSystems(database: readonly OperatingSystem[]): OperatingSystem[] {
  const known = new Set(database.map(({ id }) => id));
  const all = [...database, ...BUILTIN_SYSTEMS.filter(({ id }) => !known.has(id))];
  const rank = { linux: 0, windows: 1, other: 2 };
  return all.sort((a, b) =>
    rank[a.osType] - rank[b.osType] || a.name.localeCompare(b.name, "en", { numeric: true })
  );
}

/** The system a configuration means; undefined when its id is not known. */
export function findSystem(
  systems: readonly OperatingSystem[],
  { osVariant, osType }: { osVariant?: string | undefined; osType?: OperatingSystem["osType"] | undefined },
): OperatingSystem | undefined {
  const id = osVariant ?? GENERIC[osType ?? "linux"];
  return systems.find((system) => system.id === id);
}
