import { page } from "fresh";
import { GrantFields, GrantList } from "../../../components/access/GrantFields.tsx";
import { NewPasswordField } from "../../../components/access/NewPasswordField.tsx";
import { ScrollTable } from "../../../components/access/ScrollTable.tsx";
import { SettingsPage } from "../../../components/access/SettingsPage.tsx";
import { TextField } from "../../../components/Field.tsx";
import { Moment } from "../../../components/Moment.tsx";
import { Panel } from "../../../components/Panel.tsx";
import { grantIn } from "../../../lib/format/access_forms.ts";
import { textIn, trimmedIn } from "../../../lib/format/form_fields.ts";
import { type Failure, failureOf } from "../../../lib/format/failure.ts";
import { oneLine } from "../../../lib/format/text.ts";
import { access } from "../../../lib/i18n/en/access.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { fail, unlessAway } from "../../(_shared)/fail.ts";

const { t } = textsOf(access);
const AT = "/settings/users";

async function shown(
  { api }: PageState,
  refused: { failure?: Failure; typed?: Record<string, string> } = {},
) {
  return {
    now: Date.now(),
    users: await api.listUsers().catch(fail),
    roles: await api.listRoles().catch(fail),
    vms: await api.getVms().catch(unlessAway) ?? [],
    ...refused,
  };
}

export const handler = define.handlers({
  async GET({ state }) {
    return page(await shown(state));
  },
  async POST({ req, state, redirect }) {
    const form = await req.formData();
    const grant = grantIn(form);
    const name = trimmedIn(form, "name"), displayName = trimmedIn(form, "display");
    const password = textIn(form, "password");
    try {
      await state.api.createUser({
        name,
        displayName,
        grants: grant === undefined ? [] : [grant],
        ...(password !== "" && { password }),
      });
    } catch (error) {
      const failure = failureOf(error);
      return page(await shown(state, { failure, typed: { name, displayName } }), { status: failure.status });
    }
    return redirect(`${AT}?done=user`, 303);
  },
});

/** Who there is, and a form for one more. */
export default define.page<typeof handler>(function Users({ data, state, url }) {
  const { users, roles, vms, now, failure = null, typed = {} } = data;
  return (
    <SettingsPage at={AT} user={state.user} url={url} failure={failure}>
      <Panel title={t("access.users")}>
        <ScrollTable of={t("access.users")}>
          <thead>
            <tr>
              <th scope="col">{t("access.name")}</th>
              <th scope="col">{t("access.display_name")}</th>
              <th scope="col">{t("access.may")}</th>
              <th scope="col">{t("access.second_factor")}</th>
              <th scope="col">{t("access.user_state")}</th>
              <th scope="col">{t("access.last_sign_in")}</th>
            </tr>
          </thead>
          <tbody>
            {users.map((user) => (
              <tr key={user.id}>
                <th scope="row">
                  <a href={`${AT}/${user.id}`}>{user.name}</a>
                </th>
                <td>
                  <bdi>{oneLine(user.displayName, 40)}</bdi>
                </td>
                <td class="wrap">
                  <GrantList grants={user.grants} vms={vms} />
                </td>
                <td>{user.secondFactor ? t("access.on") : t("access.off")}</td>
                <td>
                  {user.disabled
                    ? t("access.disabled")
                    : user.hasPassword
                    ? t("access.user_active")
                    : t("access.user_tokens_only")}
                </td>
                <td>
                  {user.lastSignInAt === null
                    ? t("access.never")
                    : <Moment at={user.lastSignInAt} now={now} />}
                </td>
              </tr>
            ))}
          </tbody>
        </ScrollTable>
      </Panel>
      <Panel title={t("access.user_new")}>
        <form method="post">
          <div class="form-grid">
            <TextField
              label={t("access.name")}
              hint={t("access.name_hint")}
              name="name"
              required
              maxLength={32}
              pattern="[a-z][a-z0-9._\-]*"
              autocapitalize="none"
              defaultValue={typed.name ?? ""}
            />
            <TextField
              label={t("access.display_name")}
              name="display"
              maxLength={100}
              defaultValue={typed.displayName ?? ""}
            />
            <NewPasswordField label={t("access.optional_password")} />
            <GrantFields roles={roles} vms={vms} optional />
          </div>
          <div class="form-actions">
            <button type="submit" class="button primary">{t("access.user_add")}</button>
          </div>
        </form>
      </Panel>
    </SettingsPage>
  );
});
