import { page } from "fresh";
import { CurrentPasswordField } from "../../components/access/CurrentPasswordField.tsx";
import { SettingsPage } from "../../components/access/SettingsPage.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import ConfirmPasskey from "../../islands/ConfirmPasskey.tsx";
import { textIn } from "../../lib/text/form_fields.ts";
import { type Failure, failureOf } from "../../lib/text/failure.ts";
import { access } from "../../lib/i18n/en/access.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { postedForm } from "../(_shared)/form.ts";
import { fail } from "../(_shared)/fail.ts";

const { t } = textsOf(access);
const AT = "/settings/account";

/** Where to go on: a page of the settings, whatever the address says. */
function placeIn(text: string | null): string {
  return text !== null && /^\/settings(\/[A-Za-z0-9-]+){1,2}$/.test(text) ? text : AT;
}

async function shown({ api }: PageState, to: string, failure: Failure | null = null) {
  const { user } = await api.getSession().catch(fail);
  return { to, failure, hasPassword: user?.hasPassword ?? false, hasPasskeys: (user?.passkeys ?? 0) > 0 };
}

export const handler = define.handlers({
  async GET({ state, url }) {
    return page(await shown(state, placeIn(url.searchParams.get("to"))));
  },
  async POST(ctx) {
    const { req, state, url } = ctx;
    const to = placeIn(url.searchParams.get("to"));
    try {
      await state.api.reauthenticate({ password: textIn(await postedForm(req), "password") });
    } catch (error) {
      const failure = failureOf(error);
      return page(await shown(state, to, failure), { status: failure.status });
    }
    return ctx.redirect(to, 303);
  },
});

/** Where somebody shows that it is still them, before what changes who can come in. */
export default define.page<typeof handler>(function Confirm({ data, state, url }) {
  const { to, failure, hasPassword, hasPasskeys } = data;
  return (
    <SettingsPage at={AT} user={state.user} title={t("access.confirm_title")} url={url} failure={failure}>
      <Panel title={t("access.confirm_title")}>
        <p class="text-muted">{t("access.confirm_why")}</p>
        {hasPassword && (
          <form method="post">
            <div class="form-grid">
              <CurrentPasswordField label={t("access.current")} autofocus again={failure !== null} />
            </div>
            <div class="form-actions">
              <button type="submit" class="button primary">{t("access.confirm_go")}</button>
            </div>
          </form>
        )}
        {hasPasskeys && <ConfirmPasskey to={to} />}
      </Panel>
    </SettingsPage>
  );
});
