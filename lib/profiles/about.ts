/** Objects of a call that the permissions of tools depend on: VMs, projects, paths and pools. Pure. */
import { needOf } from "../access/permissions.ts";
import { type Command, type CommandName, COMMANDS } from "../contract/mod.ts";

/** Fields that name nothing of the host: texts for people, and paths inside guests and backups. */
const NOT_OF_HOST: ReadonlySet<string> = new Set([
  ...["description", "title", "displayName", "mountpoints", "filesystem"],
]);
/** Fields with a volume as `pool/volume`. */
const VOLUMES: ReadonlySet<string> = new Set([
  ...["volume", "source", "path", "isoPath", "image", "backing", "backingFile"],
]);
/** Fields with a pool. */
const POOLS: ReadonlySet<string> = new Set(["pool", "targetPool", "toPool"]);
/** Fields with a definition, which may name anything. */
const DEFINITIONS: ReadonlySet<string> = new Set(["xml", "definition"]);
/** Objects within objects of an input: a deeper one is refused by its schema. */
const MOST_DEEP = 20;

/** Objects that an input names, at any depth. */
export interface Named {
  readonly vmIds: ReadonlySet<string>;
  /** Ids or names. */
  readonly projects: ReadonlySet<string>;
  /** Absolute paths of the host. */
  readonly paths: ReadonlySet<string>;
  readonly pools: ReadonlySet<string>;
  /** Volumes of these, as `pool/volume`. */
  readonly volumes: ReadonlySet<string>;
  /** A whole definition (XML, .vmx), which may name anything. */
  readonly hasXml: boolean;
  /** It makes disks, and leaves out where: a default, which it does not name, decides. */
  readonly leavesPlaceOpen: boolean;
}

/** Fields that say where disks are put. */
const WHERE = ["pool", "targetPool", "toPool", "path", "folder"];

interface Fields {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Fields>>;
  readonly items?: Fields;
}

/** Whether an object has a field for a pool, and says by none where disks are put. */
function isOpen({ properties, items }: Fields, value: unknown): boolean {
  if (Array.isArray(value)) return items !== undefined && value.some((each) => isOpen(items, each));
  if (properties === undefined || typeof value !== "object" || value === null) return false;
  const takesPool = [...POOLS].some((field) => Object.hasOwn(properties, field));
  if (takesPool && !WHERE.some((field) => Object.hasOwn(value, field))) return true;
  return Object.entries(value).some(([field, each]) =>
    Object.hasOwn(properties, field) && isOpen(properties[field]!, each)
  );
}

function leavesPlaceOpen(command: CommandName, input: unknown): boolean {
  const row: Command = COMMANDS[command];
  // What is changed stays where it is, and the bin is emptied of what is in it
  if (row.readOnly || row.route.startsWith("PATCH ") || command === "empty_bin") return false;
  // Without a list of disks a new VM has one in the usual pool
  if (command === "create_vm" && (input as { disks?: unknown } | null)?.disks === undefined) return true;
  return isOpen(row.input as Fields, input);
}

const PROJECT_FIELDS: ReadonlySet<string> = new Set(["project", "projectId", "project_id"]);

/** Whether paths in the input of a command are those of a guest. */
const isInGuest = (command: CommandName): boolean => needOf(command).permission.startsWith("guest.");

/** Collects the objects that an input names. */
export function namedIn(command: CommandName, input: unknown): Named {
  const vmIds = new Set<string>(),
    projects = new Set<string>(),
    paths = new Set<string>(),
    pools = new Set<string>(),
    volumes = new Set<string>();
  let hasXml = false;
  const isGuest = isInGuest(command), isFree = freeFields(command);
  // A volume is of the pool that is named next to it, or above it
  const look = (value: unknown, field: string, depth: number, above?: string): void => {
    if (depth > MOST_DEEP || (depth === 1 && isFree(field))) return;
    if (Array.isArray(value)) return value.forEach((each) => look(each, field, depth + 1, above));
    if (typeof value === "object" && value !== null) {
      const { pool } = value as { readonly pool?: unknown }, own = typeof pool === "string" ? pool : above;
      return Object.entries(value).forEach(([name, each]) => look(each, name, depth + 1, own));
    }
    if (typeof value !== "string") return;
    if (field === "vmId" || field === "vmIds") vmIds.add(value);
    else if (PROJECT_FIELDS.has(field)) projects.add(value);
    else if (DEFINITIONS.has(field)) hasXml = true;
    else if (NOT_OF_HOST.has(field) || isGuest) return;
    else if (POOLS.has(field)) pools.add(value);
    else if (value.startsWith("/")) paths.add(value);
    else if (value.toLowerCase().startsWith("file:")) {
      paths.add(value.replace(/^file:(\/\/[^/]*)?/i, "") || "/");
    } else if (VOLUMES.has(field) && value.includes("/")) {
      pools.add(value.slice(0, value.indexOf("/")));
      volumes.add(value);
    } else if (field === "volume" && above !== undefined) volumes.add(`${above}/${value}`);
  };
  look(input, "", 0);
  return { vmIds, projects, paths, pools, volumes, hasXml, leavesPlaceOpen: leavesPlaceOpen(command, input) };
}

/** Finds fields with free names: an outside server gets them, or steps that are judged one by one. */
function freeFields(command: CommandName): (field: string) => boolean {
  const { properties = {} } = COMMANDS[command].input as Fields;
  return (field) =>
    Object.hasOwn(properties, field) && properties[field]!.type === "object" &&
    properties[field]!.properties === undefined;
}

/**
 * An input with other texts in the place of its paths.
 *
 * @param real by the path that the input has
 */
export function withPaths(command: CommandName, input: unknown, real: ReadonlyMap<string, string>): unknown {
  if (isInGuest(command)) return input;
  const isFree = freeFields(command);
  const put = (value: unknown, field: string, depth: number): unknown => {
    if (depth > MOST_DEEP || (depth === 1 && isFree(field)) || NOT_OF_HOST.has(field)) return value;
    if (typeof value === "string") return value.startsWith("/") ? real.get(value) ?? value : value;
    if (Array.isArray(value)) return value.map((each) => put(each, field, depth + 1));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, put(each, name, depth + 1)]),
    );
  };
  return put(input, "", 0);
}
