import { page } from "fresh";
import { GrantFields, GrantList } from "../../components/access/GrantFields.tsx";
import { RowButton } from "../../components/access/RowButton.tsx";
import { ScrollTable } from "../../components/access/ScrollTable.tsx";
import { SettingsPage } from "../../components/access/SettingsPage.tsx";
import { TextField } from "../../components/Field.tsx";
import { Moment } from "../../components/Moment.tsx";
import { Panel } from "../../components/Panel.tsx";
import { ROLES } from "../../lib/contract/mod.ts";
import { grantIn } from "../../lib/format/access_forms.ts";
import { textIn, trimmedIn } from "../../lib/format/form_fields.ts";
import { type Failure, failureOf } from "../../lib/format/failure.ts";
import { oneLine } from "../../lib/format/text.ts";
import { formatMoment } from "../../lib/format/time.ts";
import { access } from "../../lib/i18n/en/access.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { fail, unlessAway } from "../(_shared)/fail.ts";

const { t } = textsOf(access);
const AT = "/settings/tokens";

async function shown(
  { api, user }: PageState,
  step: { failure?: Failure; made?: { token: string; info: { name: string } } } = {},
) {
  const mayAsk = user?.hasAccount || user?.administrator;
  return {
    now: Date.now(),
    tokens: mayAsk ? await api.listTokens({ all: user?.administrator === true }).catch(fail) : [],
    vms: await api.getVms().catch(unlessAway) ?? [],
    roles: user?.administrator ? await api.listRoles().catch(fail) : ROLES.map((role) => ({ role })),
    ...step,
  };
}

export const handler = define.handlers({
  async GET({ state }) {
    return page(await shown(state));
  },
  async POST({ req, state, redirect }) {
    const form = await req.formData();
    if (form.has("revoke")) {
      await state.api.revokeToken({ tokenId: textIn(form, "revoke") }).catch(fail);
      return redirect(`${AT}?done=revoked`, 303);
    }
    const grant = grantIn(form);
    try {
      const made = await state.api.createToken({
        name: trimmedIn(form, "name"),
        expiresInDays: Number(textIn(form, "days")),
        grants: grant === undefined ? [] : [grant],
      });
      return page(await shown(state, { made }));
    } catch (error) {
      const failure = failureOf(error);
      return page(await shown(state, { failure }), { status: failure.status });
    }
  },
});

/** API tokens: one's own, and everybody's for administrators. */
export default define.page<typeof handler>(function Tokens({ data, state, url }) {
  const { tokens, vms, roles, now, failure = null, made } = data;
  return (
    <SettingsPage at={AT} user={state.user} url={url} failure={failure}>
      {made && (
        <Panel title={t("access.token_made", { name: oneLine(made.info.name, 40) })}>
          <p>{t("access.token_secret")}</p>
          <code class="secret">{made.token}</code>
        </Panel>
      )}
      <Panel title={t("access.tokens")}>
        <p class="muted">{t("access.tokens_what")}</p>
        {tokens.length === 0 ? <p>{t("access.tokens_none")}</p> : (
          <ScrollTable of={t("access.tokens")}>
            <thead>
              <tr>
                <th scope="col">{t("access.token_name")}</th>
                <th scope="col">{t("access.owner")}</th>
                <th scope="col">{t("access.may")}</th>
                <th scope="col">{t("access.expires")}</th>
                <th scope="col">{t("access.last_used")}</th>
                <td />
              </tr>
            </thead>
            <tbody>
              {tokens.map((token) => (
                <tr key={token.id}>
                  <th scope="row">
                    <bdi>{oneLine(token.name, 40)}</bdi>
                  </th>
                  <td>{token.userName}</td>
                  <td class="wrap">
                    <GrantList grants={token.grants} vms={vms} />
                  </td>
                  <td>{formatMoment(token.expiresAt)}</td>
                  <td>
                    {token.lastUsedAt === null
                      ? t("access.never")
                      : <Moment at={token.lastUsedAt} now={now} />} {token.lastUsedFrom}
                  </td>
                  <td>
                    <RowButton
                      name="revoke"
                      value={token.id}
                      text={t("access.revoke")}
                      label={t("access.revoke_named", { name: oneLine(token.name, 40) })}
                    />
                  </td>
                </tr>
              ))}
            </tbody>
          </ScrollTable>
        )}
      </Panel>
      {state.user?.hasAccount && (
        <Panel title={t("access.token_new")}>
          <form method="post">
            <div class="form-grid">
              <TextField label={t("access.token_name")} name="name" required maxLength={64} />
              <TextField
                label={t("access.token_days")}
                name="days"
                type="number"
                min={1}
                max={366}
                defaultValue="90"
                suffix={t("access.token_days_unit")}
                required
              />
              <GrantFields roles={roles} vms={vms} />
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
