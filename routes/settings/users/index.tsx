import { CoverNote } from "../../../components/coverage/CoverNote.tsx";
import { page } from "fresh";
import { GrantFields, GrantList } from "../../../components/access/GrantFields.tsx";
import { NewPasswordField } from "../../../components/access/NewPasswordField.tsx";
import { DataTable } from "../../../components/kit/DataTable.tsx";
import { OwnPassword } from "../../../components/access/OwnPassword.tsx";
import { SettingsPage } from "../../../components/access/SettingsPage.tsx";
import { TextField } from "../../../components/kit/Field.tsx";
import { RelativeTime } from "../../../components/kit/RelativeTime.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import { grantIn } from "../../../lib/access/forms.ts";
import { textIn } from "../../../lib/text/form_fields.ts";
import { type Failure, failureOf } from "../../../lib/text/failure.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { access } from "../../../lib/i18n/en/access.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { confirmOwn } from "../../(_shared)/own_password.ts";
import { postedForm } from "../../(_shared)/form.ts";
import { fail, unlessAway } from "../../(_shared)/fail.ts";

const { t } = textsOf(access);
const AT = "/settings/users";

async function shown(
  { api }: PageState,
  refused: { failure?: Failure; typed?: Record<string, string>; again?: boolean } = {},
) {
  return {
    now: Date.now(),
    users: await api.listUsers().catch(fail),
    roles: await api.listRoles().catch(fail),
    vms: await api.getVms().catch(unlessAway) ?? [],
    hosts: await api.listHosts(),
    projects: await api.listProjects().catch(unlessAway) ?? [],
    ...refused,
  };
}

export const handler = define.handlers({
  async GET({ state }) {
    return page(await shown(state));
  },
  /** A grant is two fields of the form. */
  async POST(ctx) {
    const { req, state } = ctx;
    const form = await postedForm(req);
    const grant = grantIn(form);
    const name = textIn(form, "name"), displayName = textIn(form, "display");
    const password = textIn(form, "password");
    try {
      await confirmOwn(state.api, form);
      await state.api.createUser({
        name,
        displayName,
        grants: grant === undefined ? [] : [grant],
        ...(password !== "" && { password }),
      });
    } catch (error) {
      const failure = failureOf(error);
      const again = password !== "";
      return page(await shown(state, { failure, typed: { name, displayName }, again }), {
        status: failure.status,
      });
    }
    state.notify({ is: "done", word: "create_user", name: name });
    return ctx.redirect(AT, 303);
  },
});

/** Page of the users, with a form that creates one. */
export default define.page<typeof handler>(function Users({ data, state }) {
  const { users, roles, vms, hosts, projects, now, failure = null, typed = {}, again } = data;
  return (
    <SettingsPage at={AT} user={state.user} failure={failure}>
      <Panel title={t("access.users")}>
        <DataTable
          label={t("access.users")}
          rows={users}
          keyOf={({ id }) => id}
          columns={[
            { title: t("access.name"), cell: ({ id, name }) => <a href={`${AT}/${id}`}>{name}</a> },
            {
              title: t("access.display_name"),
              cell: ({ displayName }) => displayName !== "" && <bdi>{oneLine(displayName, 40)}</bdi>,
            },
            {
              title: t("access.may"),
              fit: "wrap",
              cell: (user) => (
                <>
                  <GrantList grants={user.grants} vms={vms} hosts={hosts} projects={projects} />
                  <CoverNote of={user} />
                </>
              ),
            },
            {
              title: t("access.second_factor"),
              cell: ({ secondFactor }) => secondFactor ? t("access.on") : t("access.off"),
            },
            {
              title: t("access.user_state"),
              cell: ({ disabled, refused, hasPassword }) =>
                disabled
                  ? t("access.disabled")
                  : refused
                  ? t("access.host_refused")
                  : hasPassword
                  ? t("access.user_active")
                  : t("access.user_tokens_only"),
            },
            {
              title: t("access.last_sign_in"),
              cell: ({ lastSignInAt }) =>
                lastSignInAt === null ? t("access.never") : <RelativeTime at={lastSignInAt} now={now} />,
            },
          ]}
        />
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
            <NewPasswordField label={t("access.optional_password")} again={again ?? false} />
            <GrantFields roles={roles} vms={vms} hosts={hosts} projects={projects} optional />
            <OwnPassword user={state.user} again={again ?? false} />
          </div>
          <div class="form-actions">
            <button type="submit" class="button primary">{t("access.user_add")}</button>
          </div>
        </form>
      </Panel>
    </SettingsPage>
  );
});
