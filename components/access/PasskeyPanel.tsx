import AddPasskey from "../../islands/AddPasskey.tsx";
import type { Passkey } from "../../lib/contract/mod.ts";
import { hasHostName, localhostOf } from "../../lib/access/host_name.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatMoment } from "../../lib/text/time.ts";
import { access } from "../../lib/i18n/en/access.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { TextField } from "../kit/Field.tsx";
import { Panel } from "../kit/Panel.tsx";
import { CurrentPasswordField } from "./CurrentPasswordField.tsx";

const { t } = textsOf(access);

/** One's own passkeys: what there are, and how to add, rename and remove them. */
export function PasskeyPanel(
  { passkeys, hasPassword, confirmed, url }: {
    passkeys: readonly Passkey[];
    hasPassword: boolean;
    confirmed: boolean;
    url: URL;
  },
) {
  return (
    <Panel title={t("access.passkeys")}>
      <p>{t("access.passkeys_what")}</p>
      {passkeys.length > 0 && (
        <ul class="passkeys">
          {passkeys.map((passkey) => (
            <PasskeyItem key={passkey.id} passkey={passkey} hasPassword={hasPassword} confirmed={confirmed} />
          ))}
        </ul>
      )}
      {hasHostName(url)
        ? (
          <>
            <noscript>
              <p class="text-muted inset-text">{t("access.passkey_script")}</p>
            </noscript>
            <div class="needs-script">
              <AddPasskey hasPassword={hasPassword} confirmed={confirmed} />
            </div>
          </>
        )
        : <p class="text-muted">{t("access.passkey_needs_name", { place: localhostOf(url) })}</p>}
    </Panel>
  );
}

function PasskeyItem(
  { passkey, hasPassword, confirmed }: { passkey: Passkey; hasPassword: boolean; confirmed: boolean },
) {
  const { id, name, site, synced, createdAt, lastUsedAt } = passkey;
  const shown = oneLine(name, 40);
  return (
    <li>
      <strong>
        <bdi>{shown}</bdi>
      </strong>
      <span class="text-muted">
        {t("access.passkey_facts", {
          site: oneLine(site, 40),
          added: formatMoment(createdAt),
          used: lastUsedAt === null ? t("access.never") : formatMoment(lastUsedAt),
        })}
        {synced && ` · ${t("access.passkey_synced")}`}
      </span>
      <details class="edit">
        <summary class="button small" aria-label={t("access.passkey_change_named", { name: shown })}>
          {t("access.passkey_change")}
        </summary>
        <form
          method="post"
          class="passkey-form"
          action={formHref("rename_passkey", { passkeyId: id }, "/settings/account")}
        >
          <TextField
            label={t("access.passkey_name")}
            name="name"
            required
            maxLength={64}
            defaultValue={name}
          />
          <button type="submit" class="button small">
            {t("access.passkey_rename")}
          </button>
        </form>
        <form
          method="post"
          class="passkey-form"
          action={formHref("remove_passkey", { passkeyId: id }, "/settings/account")}
        >
          {hasPassword && <CurrentPasswordField label={t("access.current")} confirmed={confirmed} />}
          <button type="submit" class="button small danger" name="confirmed" value="yes">
            {t("access.passkey_remove")}
          </button>
        </form>
      </details>
    </li>
  );
}
