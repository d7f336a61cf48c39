import { HttpError, page } from "fresh";
import { GrantFields, placeOf } from "../../../components/access/GrantFields.tsx";
import { NewPasswordField } from "../../../components/access/NewPasswordField.tsx";
import { RowButton } from "../../../components/access/RowButton.tsx";
import { ScrollTable } from "../../../components/access/ScrollTable.tsx";
import { SettingsPage } from "../../../components/access/SettingsPage.tsx";
import { CheckField, TextField } from "../../../components/Field.tsx";
import { Panel } from "../../../components/Panel.tsx";
import type { Input } from "../../../lib/contract/mod.ts";
import { grantIn } from "../../../lib/format/access_forms.ts";
import { textIn, trimmedIn } from "../../../lib/format/form_fields.ts";
import { type Failure, failureOf } from "../../../lib/format/failure.ts";
import { access } from "../../../lib/i18n/en/access.ts";
import { t as shared, textsOf } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { fail, unlessAway } from "../../(_shared)/fail.ts";

const { t } = textsOf(access);
const AT = "/settings/users";

async function shown({ api }: PageState, userId: string, failure: Failure | null = null) {
  const user = (await api.listUsers().catch(fail)).find(({ id }) => id === userId);
  if (!user) throw new HttpError(404);
  return {
    user,
    roles: await api.listRoles().catch(fail),
    vms: await api.getVms().catch(unlessAway) ?? [],
    failure,
  };
}

/** What a form of the page asks to change. */
function changeIn(
  form: FormData,
  userId: string,
  grants: Input<"update_user">["grants"] = [],
): Input<"update_user"> {
  switch (form.get("do")) {
    case "profile":
      return { userId, displayName: trimmedIn(form, "display"), disabled: form.has("disabled") };
    case "password":
      return { userId, password: textIn(form, "password") };
    case "ungrant":
      return { userId, grants: grants.filter((grant) => JSON.stringify(grant) !== textIn(form, "grant")) };
    case "grant": {
      const grant = grantIn(form);
      return { userId, grants: grant === undefined ? grants : [...grants, grant] };
    }
    default:
      throw new HttpError(400, shared("error.form"));
  }
}

export const handler = define.handlers({
  async GET({ state, params }) {
    return page(await shown(state, params.id ?? ""));
  },
  async POST({ req, state, params, redirect }) {
    const form = await req.formData();
    const userId = params.id ?? "";
    const { user } = await shown(state, userId);
    try {
      switch (form.get("do")) {
        case "delete":
          await state.api.deleteUser({ userId });
          return redirect(`${AT}?done=deleted`, 303);
        case "reset":
          await state.api.resetSecondFactor({ userId });
          break;
        default:
          await state.api.updateUser(changeIn(form, userId, user.grants));
      }
    } catch (error) {
      if (error instanceof HttpError) throw error;
      const failure = failureOf(error);
      return page(await shown(state, userId, failure), { status: failure.status });
    }
    return redirect(`${AT}/${encodeURIComponent(userId)}?done=saved`, 303);
  },
});

/** One user: rights, account, password, second factor, the end. */
export default define.page<typeof handler>(function UserPage({ data, state, url }) {
  const { user, roles, vms, failure } = data;
  return (
    <SettingsPage at={AT} user={state.user} url={url} failure={failure} title={user.name}>
      <Panel title={t("access.user_grants")}>
        <ScrollTable of={t("access.user_grants")}>
          <thead>
            <tr>
              <th scope="col">{t("access.role")}</th>
              <th scope="col">{t("access.place")}</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {user.grants.map((grant) => (
              <tr key={JSON.stringify(grant)}>
                <th scope="row">{grant.role}</th>
                <td>{placeOf(grant, vms)}</td>
                <td class="num">
                  <RowButton
                    name="do"
                    value="ungrant"
                    text={t("access.grant_remove")}
                    label={t("access.grant_remove_named", {
                      role: grant.role,
                      place: placeOf(grant, vms),
                    })}
                    more={{ name: "grant", value: JSON.stringify(grant) }}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </ScrollTable>
        <form method="post">
          <div class="form-grid">
            <GrantFields roles={roles} vms={vms} />
          </div>
          <div class="form-actions">
            <button type="submit" class="button" name="do" value="grant">{t("access.grant_add")}</button>
          </div>
        </form>
      </Panel>
      <Panel title={t("access.user_profile")}>
        <form method="post">
          <div class="form-grid">
            <TextField
              label={t("access.display_name")}
              name="display"
              maxLength={100}
              defaultValue={user.displayName}
            />
            <CheckField
              wide
              label={t("access.user_disable")}
              name="disabled"
              value="yes"
              defaultChecked={user.disabled}
            />
          </div>
          <div class="form-actions">
            <button type="submit" class="button" name="do" value="profile">{t("access.save")}</button>
          </div>
        </form>
      </Panel>
      <Panel title={t("access.set_password")}>
        <form method="post">
          <div class="form-grid">
            <NewPasswordField label={t("access.new")} required />
          </div>
          <div class="form-actions">
            <button type="submit" class="button" name="do" value="password">{t("access.set")}</button>
            <span class="muted">{t("access.set_password_what")}</span>
          </div>
        </form>
      </Panel>
      {user.secondFactor && (
        <Panel title={t("access.second_factor")}>
          <p class="muted">{t("access.reset_totp_what")}</p>
          <form method="post" class="form-actions">
            <button type="submit" class="button" name="do" value="reset">{t("access.reset_totp")}</button>
          </form>
        </Panel>
      )}
      <Panel title={t("access.user_delete")}>
        <p class="muted">{t("access.user_delete_what")}</p>
        <form method="post" class="form-actions">
          <details class="edit">
            <summary class="button danger">{t("access.user_delete")}</summary>
            <button type="submit" class="button danger" name="do" value="delete">
              {t("access.user_delete_sure", { name: user.name })}
            </button>
          </details>
        </form>
      </Panel>
    </SettingsPage>
  );
});
