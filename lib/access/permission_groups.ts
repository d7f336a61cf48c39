/** Permissions by the noun they are about, as pages show them. Pure. */
import type { access } from "../i18n/en/access.ts";
import type { PlainKeyOf } from "../i18n/mod.ts";

/** The words of a group → the areas in it: what stands before the dot of a permission. */
const GROUPS = {
  "access.group_vms": ["vms", "projects"],
  "access.group_guests": ["guest"],
  "access.group_storage": ["storage"],
  "access.group_networks": [
    ...["networks", "network-topology", "nic-filters", "host-network"],
    ...["port-forwards", "port-forwarding"],
  ],
  "access.group_images": ["images", "templates"],
  "access.group_backups": ["backups", "backup-targets", "replications", "bin"],
  "access.group_schedules": ["schedules"],
  "access.group_alerts": ["alerts", "alert-targets"],
  "access.group_host": ["host", "metrics", "certificate"],
  "access.group_access": ["users", "roles", "permissions", "audit", "mcp", "profiles", "tools"],
} as const satisfies Partial<Record<PlainKeyOf<typeof access>, readonly string[]>>;

/** Text key of a group's title; `access.group_other` for an area that no group has. */
export type GroupTitle = keyof typeof GROUPS | "access.group_other";

/** The permissions of one noun. */
export interface PermissionGroup<Of> {
  readonly title: GroupTitle;
  readonly permissions: readonly Of[];
}

const titles = Object.entries(GROUPS) as [keyof typeof GROUPS, readonly string[]][];
const titleOf = (permission: string): GroupTitle => {
  const area = permission.split(".", 1)[0]!;
  return titles.find(([, areas]) => areas.includes(area))?.[0] ?? "access.group_other";
};

/** Permissions in groups, in the order of the groups; empty ones are left out. */
export function permissionGroups<Of extends { readonly permission: string }>(
  permissions: readonly Of[],
): PermissionGroup<Of>[] {
  const order: GroupTitle[] = [...titles.map(([title]) => title), "access.group_other"];
  return order.map((title) => ({
    title,
    permissions: permissions.filter(({ permission }) => titleOf(permission) === title),
  })).filter((group) => group.permissions.length > 0);
}
