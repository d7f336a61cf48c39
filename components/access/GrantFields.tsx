import type { Grant, HostStatus, Project, RoleInfo, VM } from "../../lib/contract/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import { access } from "../../lib/i18n/en/access.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { SelectField } from "../kit/Field.tsx";

const { t } = textsOf(access);

/** Parts that grants are made of. */
export interface GrantChoices {
  roles: readonly Pick<RoleInfo, "role">[];
  vms: readonly Pick<VM, "id" | "name" | "group">[];
  /** Empty or the local one alone: nothing is offered on single hosts. */
  hosts: readonly Pick<HostStatus, "id" | "label">[];
  projects: readonly Pick<Project, "id" | "name">[];
}
/** Objects that grants may be on. */
type GrantPlaces = Pick<GrantChoices, "vms" | "hosts" | "projects">;

/** Object of a grant as a text. */
export function grantPlace({ on }: Grant, { vms, hosts, projects }: GrantPlaces): string {
  if (on.kind === "everything") return t("access.on_everything");
  if (on.kind === "group") return t("access.on_group", { group: oneLine(on.group, 40) });
  if (on.kind === "project") {
    const name = projects.find(({ id }) => id === on.project)?.name ?? on.project;
    return t("access.on_project", { project: oneLine(name, 40) });
  }
  if (on.kind === "host") {
    const label = hosts.find(({ id }) => id === on.host)?.label ?? on.host;
    return t("access.on_host", { host: oneLine(label, 40) });
  }
  return t("access.on_vm", { name: oneLine(vms.find(({ id }) => id === on.vmId)?.name ?? on.vmId, 40) });
}

/** Grants, one a line. */
export function GrantList({ grants, ...places }: { grants: readonly Grant[] } & GrantPlaces) {
  if (grants.length === 0) return <span class="text-muted">{t("access.no_grants")}</span>;
  return (
    <ul class="grants">
      {grants.map((grant) => (
        <li key={JSON.stringify(grant)}>
          <strong>{grant.role}</strong> · {grantPlace(grant, places)}
        </li>
      ))}
    </ul>
  );
}

/** Fields for one grant: a role, and where. `grantIn()` reads them. */
export function GrantFields(
  { roles, vms, hosts, projects, optional = false }: GrantChoices & { optional?: boolean },
) {
  const groups = [...new Set(vms.flatMap(({ group }) => group ?? []))].sort();
  return (
    <>
      <SelectField
        label={t("access.role")}
        name="role"
        value="viewer"
        choices={[
          ...(optional ? [{ value: "", label: t("access.role_none") }] : []),
          ...roles.map(({ role }) => ({ value: role, label: role })),
        ]}
      />
      <SelectField
        label={t("access.place")}
        hint={t("access.place_hint")}
        name="on"
        value="everything"
        choices={[
          { value: "everything", label: t("access.on_everything") },
          ...(hosts.length > 1 ? hosts : []).map(({ id, label }) => ({
            value: `host:${id}`,
            label: t("access.on_host", { host: oneLine(label, 40) }),
          })),
          ...groups.map((group) => ({
            value: `group:${group}`,
            label: t("access.on_group", { group: oneLine(group, 40) }),
          })),
          ...projects.map(({ id, name }) => ({
            value: `project:${id}`,
            label: t("access.on_project", { project: oneLine(name, 40) }),
          })),
          ...vms.map(({ id, name }) => ({
            value: `vm:${id}`,
            label: t("access.on_vm", { name: oneLine(name, 40) }),
          })),
        ]}
      />
    </>
  );
}
