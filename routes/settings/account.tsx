import { page } from "fresh";
import type { ComponentChildren } from "preact";
import { Confirmed } from "../../components/access/Confirmed.tsx";
import { CurrentPasswordField } from "../../components/access/CurrentPasswordField.tsx";
import { GrantList } from "../../components/access/GrantFields.tsx";
import { PasskeyPanel } from "../../components/access/PasskeyPanel.tsx";
import { RevokeTokensField } from "../../components/access/RevokeTokensField.tsx";
import { Qr } from "../../components/access/Qr.tsx";
import { NewPasswordField } from "../../components/access/NewPasswordField.tsx";
import { SettingsPage } from "../../components/access/SettingsPage.tsx";
import { SshKeysPanel } from "../../components/access/SshKeysPanel.tsx";
import { SelectField, TextField } from "../../components/kit/Field.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import type { Output, User } from "../../lib/contract/mod.ts";
import { presentPasswordIn } from "../../lib/access/forms.ts";
import ConfirmPasskey from "../../islands/ConfirmPasskey.tsx";
import { formHref } from "../../lib/text/form_href.ts";
import { textIn } from "../../lib/text/form_fields.ts";
import { type Failure, failureOf } from "../../lib/text/failure.ts";
import { access } from "../../lib/i18n/en/access.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { postedForm } from "../(_shared)/form.ts";
import { fail, unlessAway } from "../(_shared)/fail.ts";

const { t } = textsOf(access);
const AT = "/settings/account";

/** Data of the page: the account and, while codes are set up, the secret or the recovery codes. */
interface Step {
  readonly failure?: Failure;
  readonly totp?: { secret: string; uri: string };
  readonly recoveryCodes?: readonly string[];
}

async function shown({ api, may }: PageState, step: Step = {}) {
  const { user } = await api.getSession().catch(fail);
  const passkeys = user === null ? [] : await api.listPasskeys().catch(fail);
  // Names of VMs, for the grants; who has none may not list them.
  const vms = !may("get_vms") ? [] : await api.getVms().catch(unlessAway) ?? [];
  const hosts = await api.listHosts();
  const projects = may("list_projects") ? await api.listProjects().catch(unlessAway) ?? [] : [];
  const { sshKeys } = await api.getSshKeys().catch(fail);
  return { account: user, passkeys, vms, hosts, projects, sshKeys, ...step };
}

export const handler = define.handlers({
  async GET({ state }) {
    return page(await shown(state));
  },
  /** Setting codes up: the secret and the recovery codes are shown once, so its forms have answers of their own. */
  async POST(ctx) {
    const { req, state } = ctx;
    const form = await postedForm(req);
    const present = presentPasswordIn(form);
    const { api } = state;
    switch (form.get("do")) {
      case "totp":
        return page(await shown(state, { totp: await api.beginTotp().catch(fail) }));
      case "totp-confirm":
        try {
          return page(await shown(state, await api.confirmTotp({ code: textIn(form, "code"), ...present })));
        } catch (error) {
          const failure = failureOf(error);
          const totp = await api.beginTotp().catch(fail);
          return page(await shown(state, { failure, totp }), { status: failure.status });
        }
      default:
        return ctx.redirect(AT, 303);
    }
  },
});

/** One-time codes: whether they are on, how to begin, and the first code. @param present the field of the present password */
function OneTimeCodes(
  { account, totp, present }: {
    account: Pick<User, "oneTimeCodes" | "recoveryCodesLeft">;
    totp: Output<"begin_totp"> | undefined;
    present: ComponentChildren;
  },
) {
  return (
    <Panel title={t("access.totp")}>
      {totp
        ? (
          <form method="post" class="totp">
            <Qr text={totp.uri} label={t("access.totp_qr")} />
            <div>
              <p>{t("access.totp_scan")}</p>
              <code class="secret">{totp.secret}</code>
              <TextField
                label={t("access.totp_first")}
                name="code"
                inputMode="numeric"
                autocomplete="one-time-code"
                required
                maxLength={16}
                autofocus
              />
              {present}
              <div>
                <button type="submit" class="button primary" name="do" value="totp-confirm">
                  {t("access.totp_confirm")}
                </button>
              </div>
            </div>
          </form>
        )
        : account.oneTimeCodes
        ? (
          <>
            <p>{t("access.totp_on", { n: account.recoveryCodesLeft })}</p>
            <form method="post" action={formHref("disable_totp", {}, AT)}>
              <div class="form-grid">
                {present}
              </div>
              <div class="form-actions">
                <button type="submit" class="button">
                  {t("access.totp_disable")}
                </button>
              </div>
            </form>
          </>
        )
        : (
          <>
            <p>{t("access.totp_off")}</p>
            <form method="post" class="form-actions">
              <button type="submit" class="button" name="do" value="totp">
                {t("access.totp_begin")}
              </button>
            </form>
          </>
        )}
    </Panel>
  );
}

/** The time zone that times are shown in. */
function TimeZone({ state }: { state: PageState }) {
  return (
    <Panel title={t("access.zone")}>
      <form id="time-zone" method="post" action={formHref("set_time_zone", {}, AT)}>
        <div class="form-grid">
          <SelectField
            label={t("access.zone")}
            hint={t("access.zone_hint", { zone: state.zone })}
            name="timeZone"
            value={state.user?.timeZone ?? "browser"}
            choices={[
              { value: "browser", label: t("access.zone_browser") },
              { value: "host", label: t("access.zone_host") },
              ...Intl.supportedValuesOf("timeZone").map((value) => ({ value, label: value })),
            ]}
          />
        </div>
        <div class="form-actions">
          <button type="submit" class="button primary">{t("access.zone_save")}</button>
        </div>
      </form>
    </Panel>
  );
}

/** One's own account: password and second factor. */
export default define.page<typeof handler>(function Account({ data, state, url }) {
  const { account, passkeys, vms, hosts, projects, sshKeys, failure = null, totp, recoveryCodes } = data;
  const confirmed = state.user?.confirmed ?? false;
  const again = state.refused?.command === "set_password";
  const present = (name = "password", again = false) =>
    account?.hasPassword &&
    (
      <CurrentPasswordField
        label={t("access.current")}
        name={name}
        again={again}
        confirmed={confirmed}
        instead={passkeys.length > 0 && <ConfirmPasskey />}
      />
    );
  return (
    <SettingsPage
      at={AT}
      user={state.user}
      failure={failure}
    >
      {account !== null && !account.hasPassword && <Confirmed user={state.user} />}
      {account === null ? <p class="text-muted">{t("access.no_account")}</p> : (
        <>
          {recoveryCodes && (
            <Panel title={t("access.recovery")}>
              <p>{t("access.recovery_what")}</p>
              <ul class="recovery-codes">{recoveryCodes.map((code) => <li key={code}>{code}</li>)}</ul>
              <div class="form-actions">
                <a class="button primary" href={AT}>{t("access.recovery_done")}</a>
              </div>
            </Panel>
          )}
          <Panel title={t("access.profile")}>
            <dl class="settings">
              <div class="setting">
                <dt class="setting-label">{t("access.you_name")}</dt>
                <dd>{account.name}</dd>
              </div>
              <div class="setting">
                <dt class="setting-label">{t("access.you_grants")}</dt>
                <dd>
                  <GrantList grants={account.grants} vms={vms} hosts={hosts} projects={projects} />
                </dd>
              </div>
            </dl>
          </Panel>
          <TimeZone state={state} />
          <OneTimeCodes account={account} totp={totp} present={present()} />
          <PasskeyPanel
            passkeys={passkeys}
            hasPassword={account.hasPassword}
            confirmed={confirmed}
            url={url}
          />
          <SshKeysPanel keys={sshKeys} refused={state.refused} />
          <Panel title={t("access.change_password")}>
            <form method="post" action={formHref("set_password", {}, AT)}>
              <div class="form-grid">
                {present("current", again)}
                <NewPasswordField label={t("access.new")} required minLength={12} again={again} />
                <RevokeTokensField />
              </div>
              <div class="form-actions">
                <button type="submit" class="button">{t("access.change")}</button>
              </div>
            </form>
          </Panel>
        </>
      )}
    </SettingsPage>
  );
});
