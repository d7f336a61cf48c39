import { HttpError, page } from "fresh";
import { GrantFields, grantPlace } from "../../../components/access/GrantFields.tsx";
import { NewPasswordField } from "../../../components/access/NewPasswordField.tsx";
import { RowButton } from "../../../components/kit/RowButton.tsx";
import { DataTable } from "../../../components/kit/DataTable.tsx";
import { RevokeTokensField } from "../../../components/access/RevokeTokensField.tsx";
import { OwnPassword } from "../../../components/access/OwnPassword.tsx";
import { SettingsPage } from "../../../components/access/SettingsPage.tsx";
import { CheckField, TextField } from "../../../components/kit/Field.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import { grantIn } from "../../../lib/access/forms.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { type Failure, failureOf } from "../../../lib/text/failure.ts";
import { refusalAt, typedAgain } from "../../../lib/text/refused_form.ts";
import { access } from "../../../lib/i18n/en/access.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { confirmOwn } from "../../(_shared)/own_password.ts";
import { postedForm } from "../../(_shared)/form.ts";
import { fail, unlessAway } from "../../(_shared)/fail.ts";

const { t } = textsOf(access);
const AT = "/settings/users";

async function shown(
  state: PageState,
  userId: string,
  failure: Failure | null = null,
) {
  const { api } = state, user = (await api.listUsers().catch(fail)).find(({ id }) => id === userId);
  if (!user) throw new HttpError(404);
  state.subject = user.name;
  return {
    user,
    roles: await api.listRoles().catch(fail),
    vms: await api.getVms().catch(unlessAway) ?? [],
    hosts: await api.listHosts(),
    projects: await api.listProjects().catch(unlessAway) ?? [],
    failure,
  };
}

export const handler = define.handlers({
  async GET({ state, params }) {
    return page(await shown(state, params.id ?? ""));
  },
  /** One more grant, which is two fields. */
  async POST(ctx) {
    const { req, state, params } = ctx;
    const userId = params.id ?? "";
    const form = await postedForm(req), grant = grantIn(form);
    const { user } = await shown(state, userId);
    try {
      await confirmOwn(state.api, form);
      await state.api.updateUser({ userId, grants: [...user.grants, ...grant === undefined ? [] : [grant]] });
    } catch (error) {
      const failure = failureOf(error);
      return page(await shown(state, userId, failure), { status: failure.status });
    }
    state.notify({ is: "done", word: "update_user", name: user.name });
    return ctx.redirect(`${AT}/${encodeURIComponent(userId)}`, 303);
  },
});

/** One user: rights, account, password, second factor, the end. */
export default define.page<typeof handler>(function UserPage({ data, state }) {
  const { user, roles, vms, hosts, projects, failure } = data, places = { vms, hosts, projects };
  const here = `${AT}/${encodeURIComponent(user.id)}`;
  const typed = typedAgain(state.refused, "update_user");
  return (
    <SettingsPage at={AT} user={state.user} failure={failure} title={user.name}>
      <Panel title={t("access.user_grants")}>
        <DataTable
          label={t("access.user_grants")}
          rows={user.grants}
          keyOf={(grant) => JSON.stringify(grant)}
          columns={[
            { title: t("access.role"), cell: ({ role }) => role },
            { title: t("access.place"), cell: (grant) => grantPlace(grant, places) },
            {
              title: t("access.actions"),
              kind: "actions",
              cell: (grant) => (
                <RowButton
                  action={formHref(
                    "update_user",
                    { userId: user.id, grants: JSON.stringify(user.grants.filter((each) => each !== grant)) },
                    here,
                  )}
                  text={t("access.grant_remove")}
                  label={t("access.grant_remove_named", {
                    role: grant.role,
                    place: grantPlace(grant, places),
                  })}
                />
              ),
            },
          ]}
        />
        <form method="post">
          <div class="form-grid">
            <GrantFields roles={roles} {...places} />
            <OwnPassword user={state.user} again={failure !== null} />
          </div>
          <div class="form-actions">
            <button type="submit" class="button">{t("access.grant_add")}</button>
          </div>
        </form>
      </Panel>
      <Panel title={t("access.user_profile")}>
        <form method="post" action={formHref("update_user", { userId: user.id }, here)}>
          <div class="form-grid">
            <TextField
              label={t("access.display_name")}
              error={refusalAt(state.refused, "update_user", "displayName")}
              name="displayName"
              maxLength={100}
              defaultValue={typed?.displayName ?? user.displayName}
            />
            <input type="hidden" name="disabled" value="no" />
            <CheckField
              wide
              label={t("access.user_disable")}
              name="disabled"
              value="yes"
              defaultChecked={user.disabled}
            />
            <OwnPassword user={state.user} />
          </div>
          <div class="form-actions">
            <button type="submit" class="button">{t("access.save")}</button>
          </div>
        </form>
      </Panel>
      <Panel title={t("access.set_password")}>
        <form method="post" action={formHref("update_user", { userId: user.id }, here)}>
          <div class="form-grid">
            <NewPasswordField
              label={t("access.new")}
              required
              again={state.refused?.withheld.includes("password") ?? false}
            />
            <RevokeTokensField />
            <OwnPassword user={state.user} again={state.refused?.withheld.includes("password") ?? false} />
          </div>
          <div class="form-actions">
            <button type="submit" class="button">{t("access.set")}</button>
            <span class="text-muted">{t("access.set_password_what")}</span>
          </div>
        </form>
      </Panel>
      {user.secondFactor && (
        <Panel title={t("access.second_factor")}>
          <p class="text-muted">{t("access.reset_totp_what")}</p>
          <form
            method="post"
            class="form-actions"
            action={formHref("reset_second_factor", { userId: user.id }, here)}
          >
            <button type="submit" class="button">{t("access.reset_totp")}</button>
          </form>
        </Panel>
      )}
      <Panel title={t("access.user_delete")}>
        <p class="text-muted">{t("access.user_delete_what")}</p>
        <form
          method="post"
          class="form-actions"
          action={formHref("delete_user", { userId: user.id }, AT, here)}
        >
          <details class="edit">
            <summary class="button danger">{t("access.user_delete")}</summary>
            <button type="submit" class="button danger" name="confirmed" value="yes">
              {t("access.user_delete_sure", { name: user.name })}
            </button>
          </details>
        </form>
      </Panel>
    </SettingsPage>
  );
});
