/** Operating systems: the database's and our own, as one list. */
import type { OperatingSystem } from "../../contract/create.ts";
import { BUILTIN_SYSTEMS, GENERIC } from "./builtin.ts";

export { BUILTIN_SYSTEMS, GENERIC } from "./builtin.ts";
export { readOsinfo } from "./osinfo.ts";

/** The database's systems, and those of ours that it has not: by kind, then by name. */
export function mergeSystems(database: readonly OperatingSystem[]): OperatingSystem[] {
  const known = new Set(database.map(({ id }) => id));
  const all = withOwnNames([...database, ...BUILTIN_SYSTEMS.filter(({ id }) => !known.has(id))]);
  const rank = { linux: 0, windows: 1, other: 2 };
  return all.sort((a, b) =>
    rank[a.osType] - rank[b.osType] || a.name.localeCompare(b.name, "en", { numeric: true })
  );
}

/** Gives systems of one name (three of the database's are "PureOS") names that differ: with their version, else with their id. */
function withOwnNames(systems: readonly OperatingSystem[]): OperatingSystem[] {
  return [...Map.groupBy(systems, ({ name }) => name).values()].flatMap((alike) => {
    if (alike.length === 1) return alike;
    const isToldApart = new Set(alike.map(({ version }) => version)).size === alike.length;
    return alike.map((system) => {
      const { id, name, version } = system;
      return { ...system, name: isToldApart && version ? `${name} ${version}` : `${name} (${id})` };
    });
  });
}

/** The system a configuration means; undefined when its id is not known. */
export function findSystem(
  systems: readonly OperatingSystem[],
  { osVariant, osType }: { osVariant?: string | undefined; osType?: OperatingSystem["osType"] | undefined },
): OperatingSystem | undefined {
  const id = osVariant ?? GENERIC[osType ?? "linux"];
  return systems.find((system) => system.id === id);
}
