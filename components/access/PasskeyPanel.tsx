import AddPasskey from "../../islands/AddPasskey.tsx";
import type { Passkey } from "../../lib/contract/mod.ts";
import { hasHostName, localhostOf } from "../../lib/format/host_name.ts";
import { oneLine } from "../../lib/format/text.ts";
import { formatMoment } from "../../lib/format/time.ts";
import { access } from "../../lib/i18n/en/access.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { TextField } from "../Field.tsx";
import { Panel } from "../Panel.tsx";
import { CurrentPasswordField } from "./CurrentPasswordField.tsx";

const { t } = textsOf(access);

/** One's own passkeys: what there are, and how to add, rename and remove them. */
export function PasskeyPanel(
  { passkeys, hasPassword, url }: { passkeys: readonly Passkey[]; hasPassword: boolean; url: URL },
) {
  return (
    <Panel title={t("access.passkeys")}>
      <p>{t("access.passkeys_what")}</p>
      {passkeys.length > 0 && (
        <ul class="passkeys">
          {passkeys.map((passkey) => (
            <PasskeyItem key={passkey.id} passkey={passkey} hasPassword={hasPassword} />
          ))}
        </ul>
      )}
      {hasHostName(url)
        ? (
          <>
            <noscript>
              <p class="muted inset-text">{t("access.passkey_script")}</p>
            </noscript>
            <div class="needs-script">
              <AddPasskey hasPassword={hasPassword} />
            </div>
          </>
        )
        : <p class="muted">{t("access.passkey_needs_name", { place: localhostOf(url) })}</p>}
    </Panel>
  );
}

function PasskeyItem({ passkey, hasPassword }: { passkey: Passkey; hasPassword: boolean }) {
  const { id, name, site, synced, createdAt, lastUsedAt } = passkey;
  const shown = oneLine(name, 40);
  return (
    <li>
      <strong>
        <bdi>{shown}</bdi>
      </strong>
      <span class="muted">
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
        <form method="post" class="passkey-form">
          <input type="hidden" name="passkey" value={id} />
          <TextField
            label={t("access.passkey_name")}
            name="name"
            required
            maxLength={64}
            defaultValue={name}
          />
          <button type="submit" class="button small" name="do" value="passkey-rename">
            {t("access.passkey_rename")}
          </button>
        </form>
        <form method="post" class="passkey-form">
          <input type="hidden" name="passkey" value={id} />
          {hasPassword && <CurrentPasswordField label={t("access.current")} />}
          <button type="submit" class="button small danger" name="do" value="passkey-remove">
            {t("access.passkey_remove")}
          </button>
        </form>
      </details>
    </li>
  );
}
