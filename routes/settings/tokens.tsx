import { page } from "fresh";
import { Confirmed } from "../../components/access/Confirmed.tsx";
import { CurrentPasswordField } from "../../components/access/CurrentPasswordField.tsx";
import { GrantFields, GrantList } from "../../components/access/GrantFields.tsx";
import { RowButton } from "../../components/kit/RowButton.tsx";
import { DataTable } from "../../components/kit/DataTable.tsx";
import { SettingsPage } from "../../components/access/SettingsPage.tsx";
import { TextField } from "../../components/kit/Field.tsx";
import { RelativeTime } from "../../components/kit/RelativeTime.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import ConfirmPasskey from "../../islands/ConfirmPasskey.tsx";
import { ROLES } from "../../lib/contract/mod.ts";
import { grantIn, presentPasswordIn } from "../../lib/access/forms.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { textIn } from "../../lib/text/form_fields.ts";
import { type Failure, failureOf } from "../../lib/text/failure.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatMoment } from "../../lib/text/time.ts";
import { access } from "../../lib/i18n/en/access.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { postedForm } from "../(_shared)/form.ts";
import { fail, unlessAway } from "../(_shared)/fail.ts";

const { t } = textsOf(access);
const AT = "/settings/tokens";

async function shown(
  { api, user, may }: PageState,
  step: {
    failure?: Failure;
    /** Typed fields of a refused form, without the password. */
    typed?: Readonly<Record<"name" | "days", string>>;
    /** A password was typed, too. */
    again?: boolean;
    made?: { token: string; info: { name: string } };
  } = {},
) {
  const mayAsk = user?.hasAccount || user?.administrator;
  return {
    now: Date.now(),
    tokens: mayAsk ? await api.listTokens({ all: user?.administrator === true }).catch(fail) : [],
    vms: may("get_vms") ? await api.getVms().catch(unlessAway) ?? [] : [],
    hosts: await api.listHosts(),
    projects: may("list_projects") ? await api.listProjects().catch(unlessAway) ?? [] : [],
    roles: user?.administrator ? await api.listRoles().catch(fail) : ROLES.map((role) => ({ role })),
    ...step,
  };
}

export const handler = define.handlers({
  async GET({ state }) {
    return page(await shown(state));
  },
  /** A new token is shown once, so its form has an answer of its own; its grant is two fields. */
  async POST({ req, state }) {
    const form = await postedForm(req);
    const grant = grantIn(form);
    try {
      const made = await state.api.createToken({
        name: textIn(form, "name"),
        expiresInDays: Number(textIn(form, "days")),
        grants: grant === undefined ? [] : [grant],
        ...presentPasswordIn(form),
      });
      return page(await shown(state, { made }));
    } catch (error) {
      const failure = failureOf(error);
      const typed = { name: textIn(form, "name"), days: textIn(form, "days") };
      const again = textIn(form, "password") !== "";
      return page(await shown(state, { failure, typed, again }), { status: failure.status });
    }
  },
});

/** API tokens: one's own, and everybody's for administrators. */
export default define.page<typeof handler>(function Tokens({ data, state }) {
  const { tokens, vms, hosts, projects, roles, now, failure = null, typed, again = false, made } = data;
  return (
    <SettingsPage
      at={AT}
      user={state.user}
      failure={failure}
    >
      {state.user?.hasAccount === true && !state.user.hasPassword && <Confirmed user={state.user} />}
      {made && (
        <Panel title={t("access.token_made", { name: oneLine(made.info.name, 40) })}>
          <p>{t("access.token_secret")}</p>
          <code class="secret">{made.token}</code>
        </Panel>
      )}
      <Panel title={t("access.tokens")}>
        <p class="text-muted">{t("access.tokens_what")}</p>
        <DataTable
          label={t("access.tokens")}
          rows={tokens}
          keyOf={({ id }) => id}
          empty={t("access.tokens_none")}
          columns={[
            { title: t("access.token_name"), cell: ({ name }) => <bdi>{oneLine(name, 40)}</bdi> },
            { title: t("access.owner"), cell: ({ userName }) => userName },
            {
              title: t("access.may"),
              fit: "wrap",
              cell: ({ grants }) => <GrantList grants={grants} vms={vms} hosts={hosts} projects={projects} />,
            },
            { title: t("access.expires"), cell: ({ expiresAt }) => formatMoment(expiresAt) },
            {
              title: t("access.last_used"),
              cell: ({ lastUsedAt, lastUsedFrom }) => (
                <>
                  {lastUsedAt === null ? t("access.never") : <RelativeTime at={lastUsedAt} now={now} />}{" "}
                  {lastUsedFrom}
                </>
              ),
            },
            {
              title: t("access.actions"),
              kind: "actions",
              cell: ({ id, name }) => (
                <RowButton
                  action={formHref("revoke_token", { tokenId: id }, AT)}
                  text={t("access.revoke")}
                  label={t("access.revoke_named", { name: oneLine(name, 40) })}
                />
              ),
            },
          ]}
        />
      </Panel>
      {state.user?.hasAccount && (
        <Panel title={t("access.token_new")}>
          <form method="post">
            <div class="form-grid">
              <TextField
                label={t("access.token_name")}
                name="name"
                required
                maxLength={64}
                defaultValue={typed?.name ?? ""}
              />
              <TextField
                label={t("access.token_days")}
                name="days"
                type="number"
                min={1}
                max={366}
                defaultValue={typed?.days ?? "90"}
                suffix={t("access.token_days_unit")}
                required
              />
              <GrantFields roles={roles} vms={vms} hosts={hosts} projects={projects} />
              {state.user.hasPassword && (
                <CurrentPasswordField
                  label={t("access.current")}
                  confirmed={state.user.confirmed}
                  again={again}
                  instead={state.user.hasPasskeys && <ConfirmPasskey />}
                />
              )}
            </div>
            <div class="form-actions">
              <button type="submit" class="button primary">{t("access.token_create")}</button>
            </div>
          </form>
        </Panel>
      )}
    </SettingsPage>
  );
});
