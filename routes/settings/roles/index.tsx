import { page } from "fresh";
import { RowButton } from "../../../components/kit/RowButton.tsx";
import { DataTable } from "../../../components/kit/DataTable.tsx";
import { OwnPassword } from "../../../components/access/OwnPassword.tsx";
import { SettingsPage } from "../../../components/access/SettingsPage.tsx";
import { TextField } from "../../../components/kit/Field.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import { RoleMatrix } from "../../../components/access/RoleMatrix.tsx";
import { permissionGroups } from "../../../lib/access/permission_groups.ts";
import { permissionText } from "../../../lib/access/permission_text.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { refusalAt, typedAgain } from "../../../lib/text/refused_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { access } from "../../../lib/i18n/en/access.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { fail } from "../../(_shared)/fail.ts";

const { t, plural } = textsOf(access);
const AT = "/settings/roles";

async function shown({ api }: PageState) {
  return {
    roles: await api.listRoles().catch(fail),
    permissions: await api.listPermissions().catch(fail),
  };
}

export const handler = define.handlers({
  async GET({ state }) {
    return page(await shown(state));
  },
});

/** Roles: the three that are built in, and one's own. */
export default define.page<typeof handler>(function Roles({ data, state }) {
  const { roles, permissions } = data;
  const typed = typedAgain(state.refused, "create_role");
  const ticked = new Set(typed?.permissions?.split("\n"));
  return (
    <SettingsPage at={AT} user={state.user}>
      <Panel title={t("access.roles")}>
        <p class="text-muted">{t("access.roles_what")}</p>
        <DataTable
          label={t("access.roles")}
          rows={roles}
          keyOf={({ role }) => role}
          columns={[
            { title: t("access.role_name"), cell: ({ role }) => role },
            {
              title: t("access.role_description"),
              fit: "wrap",
              cell: ({ description }) => description !== "" && <bdi>{oneLine(description, 200)}</bdi>,
            },
            {
              title: t("access.role_permissions"),
              fit: "wrap",
              cell: ({ permissions }) => plural("access.permissions", permissions.length),
            },
            {
              title: t("access.actions"),
              kind: "actions",
              cell: ({ role, builtIn }) =>
                builtIn ? <small>{t("access.role_built_in")}</small> : (
                  <RowButton
                    action={formHref("delete_role", { role }, AT)}
                    confirmed
                    text={t("access.role_delete")}
                    label={t("access.role_delete_named", { role })}
                  />
                ),
            },
          ]}
        />
      </Panel>
      <Panel title={t("access.role_matrix")}>
        <RoleMatrix roles={roles} permissions={permissions} />
      </Panel>
      <Panel title={t("access.role_new")}>
        <form method="post" action={formHref("create_role", {}, AT)}>
          <div class="form-grid">
            <TextField
              label={t("access.role_name")}
              name="role"
              defaultValue={typed?.role}
              error={refusalAt(state.refused, "create_role", "role")}
              required
              maxLength={32}
              pattern="[a-z][a-z0-9\-]*"
            />
            <TextField
              label={t("access.role_description")}
              name="description"
              maxLength={200}
              defaultValue={typed?.description}
            />
            <fieldset class="choices wide">
              <legend>{t("access.role_permissions")}</legend>
              {permissionGroups(permissions.filter(({ grantable }) => grantable)).map((group) => (
                <fieldset key={group.title} class="choices wide">
                  <legend>{t(group.title)}</legend>
                  <div class="permissions">
                    {group.permissions.map(({ permission, commands }) => (
                      <label key={permission} class="check" title={commands.join(", ")}>
                        <input
                          type="checkbox"
                          name="permissions"
                          value={permission}
                          defaultChecked={ticked.has(permission)}
                        />
                        <span>{permissionText(permission)}</span>
                      </label>
                    ))}
                  </div>
                </fieldset>
              ))}
            </fieldset>
            <OwnPassword user={state.user} />
          </div>
          <div class="form-actions">
            <button type="submit" class="button primary">{t("access.role_create")}</button>
          </div>
        </form>
      </Panel>
    </SettingsPage>
  );
});
