import type { Output, ProjectDetails } from "../../lib/contract/mod.ts";
import { projects as texts } from "../../lib/i18n/en/projects.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import type { PageState } from "../../lib/page_state.ts";
import type { ProjectTyped } from "../../lib/projects/settings_form.ts";
import { OwnPassword } from "../access/OwnPassword.tsx";
import { DataTable } from "../kit/DataTable.tsx";
import { SelectField } from "../kit/Field.tsx";
import { Panel } from "../kit/Panel.tsx";

const { t } = textsOf(texts);

/** Props of {@link ProjectMembers}. */
export interface ProjectMembersProps {
  project: ProjectDetails;
  typed: ProjectTyped;
  /** Users who may become members, and roles for them; empty if they cannot be listed. */
  users: Output<"list_users">;
  roles: Output<"list_roles">;
  user: PageState["user"];
  /** Whether a form of the page was refused. */
  again: boolean;
}

/** The members of a project, and the form that adds one. */
export function ProjectMembers({ project, typed, users, roles, user, again }: ProjectMembersProps) {
  return (
    <Panel title={t("projects.members")}>
      <DataTable
        label={t("projects.members")}
        rows={project.members}
        keyOf={({ userId }) => userId}
        attributesOf={({ name }) => ({ "data-member": name })}
        empty={<p class="pad text-muted">{t("projects.no_members")}</p>}
        columns={[
          {
            title: t("projects.user"),
            cell: ({ userId, name }) => <a href={`/settings/users/${encodeURIComponent(userId)}`}>{name}</a>,
          },
          { title: t("projects.role"), cell: ({ roles: has }) => has.join(", ") },
          {
            title: t("projects.actions"),
            kind: "actions",
            cell: ({ userId, name }) => (
              <form method="post" class="inline-form">
                <input type="hidden" name="what" value="remove" />
                <input type="hidden" name="userId" value={userId} />
                <OwnPassword user={user} again={again} />
                <button
                  type="submit"
                  class="button small"
                  aria-label={t("projects.member_remove_of", { name })}
                >
                  {t("projects.member_remove")}
                </button>
              </form>
            ),
          },
        ]}
      />
      {users.length > 0 && (
        <form method="post">
          <input type="hidden" name="what" value="add" />
          <div class="form-grid">
            <SelectField
              name="userId"
              label={t("projects.user")}
              value={typed.userId}
              choices={users.map(({ id, name }) => ({ value: id, label: name }))}
            />
            <SelectField
              name="role"
              label={t("projects.role")}
              hint={t("projects.member_hint")}
              value={typed.role}
              choices={roles.map(({ role }) => ({ value: role, label: role }))}
            />
            <OwnPassword user={user} again={again} />
          </div>
          <div class="form-actions">
            <button type="submit" class="button">{t("projects.member_add")}</button>
          </div>
        </form>
      )}
    </Panel>
  );
}
