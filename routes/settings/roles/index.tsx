import { page } from "fresh";
import { RowButton } from "../../../components/access/RowButton.tsx";
import { ScrollTable } from "../../../components/access/ScrollTable.tsx";
import { SettingsPage } from "../../../components/access/SettingsPage.tsx";
import { TextField } from "../../../components/Field.tsx";
import { Panel } from "../../../components/Panel.tsx";
import { textIn, trimmedIn } from "../../../lib/format/form_fields.ts";
import { type Failure, failureOf } from "../../../lib/format/failure.ts";
import { oneLine } from "../../../lib/format/text.ts";
import { access } from "../../../lib/i18n/en/access.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { fail } from "../../(_shared)/fail.ts";

const { t } = textsOf(access);
const AT = "/settings/roles";

async function shown({ api }: PageState, failure: Failure | null = null) {
  return {
    roles: await api.listRoles().catch(fail),
    permissions: (await api.listPermissions().catch(fail)).filter(({ grantable }) => grantable),
    failure,
  };
}

export const handler = define.handlers({
  async GET({ state }) {
    return page(await shown(state));
  },
  async POST({ req, state, redirect }) {
    const form = await req.formData();
    try {
      if (form.has("delete")) await state.api.deleteRole({ role: textIn(form, "delete") });
      else {
        await state.api.createRole({
          role: trimmedIn(form, "role"),
          description: trimmedIn(form, "description"),
          permissions: form.getAll("permission").filter((each) => typeof each === "string"),
        });
      }
    } catch (error) {
      const failure = failureOf(error);
      return page(await shown(state, failure), { status: failure.status });
    }
    return redirect(`${AT}?done=${form.has("delete") ? "deleted" : "saved"}`, 303);
  },
});

/** Roles: the three that are built in, and one's own. */
export default define.page<typeof handler>(function Roles({ data, state, url }) {
  const { roles, permissions, failure } = data;
  return (
    <SettingsPage at={AT} user={state.user} url={url} failure={failure}>
      <Panel title={t("access.roles")}>
        <p class="muted">{t("access.roles_what")}</p>
        <ScrollTable of={t("access.roles")}>
          <thead>
            <tr>
              <th scope="col">{t("access.role_name")}</th>
              <th scope="col">{t("access.role_description")}</th>
              <th scope="col">{t("access.role_permissions")}</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {roles.map((role) => (
              <tr key={role.role}>
                <th scope="row">{role.role}</th>
                <td class="wrap">
                  <bdi>{oneLine(role.description, 200)}</bdi>
                </td>
                <td class="wrap">{role.permissions.join(", ")}</td>
                <td>
                  {role.builtIn ? <small class="muted">{t("access.role_built_in")}</small> : (
                    <RowButton
                      name="delete"
                      value={role.role}
                      text={t("access.role_delete")}
                      label={t("access.role_delete_named", { role: role.role })}
                    />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </ScrollTable>
      </Panel>
      <Panel title={t("access.role_new")}>
        <form method="post">
          <div class="form-grid">
            <TextField
              label={t("access.role_name")}
              name="role"
              required
              maxLength={32}
              pattern="[a-z][a-z0-9\-]*"
            />
            <TextField label={t("access.role_description")} name="description" maxLength={200} />
            <fieldset class="choices wide">
              <legend>{t("access.role_permissions")}</legend>
              <div class="permissions">
                {permissions.map(({ permission, commands }) => (
                  <label key={permission} class="check" title={commands.join(", ")}>
                    <input type="checkbox" name="permission" value={permission} />
                    <span>{permission}</span>
                  </label>
                ))}
              </div>
            </fieldset>
          </div>
          <div class="form-actions">
            <button type="submit" class="button primary">{t("access.role_create")}</button>
          </div>
        </form>
      </Panel>
    </SettingsPage>
  );
});
