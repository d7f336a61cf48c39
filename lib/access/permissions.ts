/**
 * Permissions that commands need, derived from the contract: `<area>.<level>`, where the area is the noun its route
 * begins with, and the level is its role's. A command without a role does not compile; one may declare another
 * `permission`.
 */
import { extraPermissions } from "./extra_permissions.ts";
import {
  type Command,
  type CommandName,
  COMMANDS,
  type OutputFilter,
  type Role,
  ROLES,
} from "../contract/mod.ts";

/** Level of each role within an area. */
const LEVELS: Readonly<Record<Role, string>> = {
  viewer: "view",
  operator: "operate",
  administrator: "administer",
};

/** First part of a route → its area, where they differ. */
const AREAS: Readonly<Record<string, string>> = {
  "alert-history": "alerts",
  "alert-silences": "alerts",
  "batch": "vms",
  "cloud-init": "vms",
  "create-options": "vms",
  "network-options": "networks",
  "operating-systems": "host",
  "placement-advice": "hosts",
  "placement-rules": "hosts",
  replicas: "replications",
  "schedule-preview": "schedules",
};

/** In addition to `<area>.<level>`: `anyone` needs no sign-in, `signed-in` nothing but that, `socket` root's own socket. */
export const SPECIAL = ["anyone", "signed-in", "socket"] as const;

/**
 * Object of a command: one VM, several, a project, the VMs one may see, one host, or everything where no object can be
 * told apart.
 */
export type CommandObject = "vm" | "vms" | "project" | "list" | "host" | "everything";

/** Permission that a command needs, and the object it needs it on. */
export interface Need {
  readonly permission: string;
  readonly role: Role;
  readonly object: CommandObject;
}

const first = ({ route }: Command) => /^\w+ \/([a-z-]+)/.exec(route)?.[1] ?? "";

/** Filters of lists that a right to any entry opens: their answers have only the visible entries. */
const LISTS: ReadonlySet<OutputFilter | undefined> = new Set(
  ["other-vms", "other-projects", "other-alerts", "other-incidents", "other-figures"] as const,
);

/** Object of a command, derived from its route and its fields: a VM's own commands are below that VM. */
function objectOf(command: Command): CommandObject {
  const { properties = {} } = command.input as { properties?: object };
  if (/^\w+ \/vms\/\{vmId\}/.test(command.route)) return command.changesAllHosts ? "everything" : "vm";
  if (/^\w+ \/projects\/\{project(?:Id|_id)\}/.test(command.route)) return "project";
  if (Object.hasOwn(properties, "vmIds")) return "vms";
  if (LISTS.has(command.hides)) return "list";
  return Object.hasOwn(properties, "host") && !command.changesAllHosts ? "host" : "everything";
}

const needs = new Map<CommandName, Need>(
  (Object.entries(COMMANDS) as [CommandName, Command][]).map(([name, command]) => {
    const area = first(command);
    return [name, {
      permission: command.permission ?? `${AREAS[area] ?? area}.${LEVELS[command.role]}`,
      role: command.role,
      object: objectOf(command),
    }];
  }),
);

/** Permission and object of a command. */
export function needOf(name: CommandName): Need {
  return needs.get(name)!;
}

/** Permissions of administrators that do not give access to the host itself: custom roles may have them. */
const GRANTABLE: ReadonlySet<string> = new Set([
  "vms.clone",
  "vms.delete",
  // Root in a guest is no user of the host
  "guest.exec",
  "guest.files",
  "guest.accounts",
]);

/** A permission, with the least role that has it and the commands it opens. */
export interface Permission {
  readonly name: string;
  readonly role: Role;
  readonly commands: readonly CommandName[];
  /** A role of one's own may have it. What only administrators may is as good as root on the host. */
  readonly grantable: boolean;
}

/** Every permission there is, by name, in the order of the contract. */
export const PERMISSIONS: ReadonlyMap<string, Permission> = (() => {
  const found = new Map<string, Permission>();
  for (const [command, { permission: name, role }] of needs) {
    if ((SPECIAL as readonly string[]).includes(name)) continue;
    const known = found.get(name);
    found.set(name, {
      name,
      role: known && ROLES.indexOf(known.role) > ROLES.indexOf(role) ? known.role : role,
      commands: [...known?.commands ?? [], command],
      // Only what is declared by name is known to be less than root, once it needs an administrator.
      grantable: role !== "administrator" || GRANTABLE.has(name),
    });
  }
  // No command is opened by these alone; they give a guest more than libvirt's networks, and do not give away the host.
  for (const [name, commands] of extraPermissions()) {
    if (found.has(name)) continue;
    found.set(name, { name, role: "administrator", commands, grantable: true });
  }
  return found;
})();

const byRole = Object.fromEntries(ROLES.map((role, level) => [
  role,
  new Set(
    [...PERMISSIONS.values()].filter((each) => ROLES.indexOf(each.role) <= level).map(({ name }) => name),
  ),
])) as unknown as Readonly<Record<Role, ReadonlySet<string>>>;

/** Permissions of one of the three roles. Asked at every request: the sets are made once. */
export function permissionsOf(role: Role): ReadonlySet<string> {
  return byRole[role];
}
