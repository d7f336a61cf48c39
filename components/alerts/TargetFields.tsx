import { ALERT_SEVERITIES, type AlertChannel, SMTP_SECURITIES } from "../../lib/contract/mod.ts";
import { alerts as texts } from "../../lib/i18n/en/alerts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { CheckField, SelectField, TextField } from "../kit/Field.tsx";

const { t } = textsOf(texts);

/** Props of {@link TargetFields}. */
export interface TargetFieldsProps {
  channel: AlertChannel;
  /** Values typed before, by the names of the fields; secrets are not given back. */
  values: Readonly<Record<string, string>>;
  errorAt: (field: string) => string | undefined;
  /** The form was refused: its secrets are to be typed again. */
  again: boolean;
  /** It is there already: an address or a secret that is left empty stays as it is. */
  isKept?: boolean;
}

/** The fields of a mail server. */
function MailFields({ values, errorAt, again, isKept = false }: Omit<TargetFieldsProps, "channel">) {
  const text = (name: string) => ({ name, defaultValue: values[name] ?? "", error: errorAt(name) });
  return (
    <>
      <TextField label={t("alerts.mail_to")} hint={t("alerts.mail_to_hint")} required {...text("mailTo")} />
      <TextField label={t("alerts.mail_from")} required {...text("mailFrom")} />
      <TextField label={t("alerts.smtp_host")} required {...text("smtpHost")} />
      <SelectField
        label={t("alerts.smtp_security")}
        name="smtpSecurity"
        choices={SMTP_SECURITIES.map((value) => ({ value, label: t(`alerts.smtp_security.${value}`) }))}
        value={values.smtpSecurity ?? "starttls"}
        error={errorAt("smtpSecurity")}
      />
      <TextField
        label={t("alerts.smtp_port")}
        hint={t("alerts.smtp_port_hint")}
        type="number"
        min={1}
        max={65535}
        {...text("smtpPort")}
      />
      <TextField label={t("alerts.smtp_user")} hint={t("alerts.smtp_user_hint")} {...text("smtpUser")} />
      <TextField
        label={t("alerts.smtp_password")}
        hint={t(isKept ? "alerts.secret_kept" : "alerts.secret_hint")}
        name="secret"
        type="password"
        autocomplete="new-password"
        again={again}
        error={errorAt("secret")}
      />
    </>
  );
}

/** The fields of a target, as far as its kind has them. */
export function TargetFields({ channel, values, errorAt, again, isKept = false }: TargetFieldsProps) {
  return (
    <div class="form-grid">
      <TextField
        label={t("alerts.target_name")}
        name="name"
        required
        maxLength={100}
        defaultValue={values.name ?? ""}
        error={errorAt("name")}
      />
      <SelectField
        label={t("alerts.min")}
        name="minSeverity"
        choices={ALERT_SEVERITIES.map((value) => ({ value, label: t(`alerts.min.${value}`) }))}
        value={values.minSeverity ?? "warning"}
      />
      {channel === "email"
        ? <MailFields values={values} errorAt={errorAt} again={again} isKept={isKept} />
        : (
          <>
            <TextField
              label={t("alerts.url")}
              hint={isKept ? t("alerts.secret_kept") : t(`alerts.url.${channel}`)}
              name="url"
              type="url"
              required={!isKept}
              again={again}
              error={errorAt("url")}
            />
            {channel !== "slack" && (
              <TextField
                label={t("alerts.secret")}
                hint={t(isKept ? "alerts.secret_kept" : "alerts.secret_hint")}
                name="secret"
                type="password"
                autocomplete="new-password"
                required={channel === "gotify" && !isKept}
                again={again}
                error={errorAt("secret")}
              />
            )}
          </>
        )}
      <CheckField
        label={t("alerts.private")}
        hint={t("alerts.private_hint")}
        name="privateAddresses"
        value="yes"
        defaultChecked={values.privateAddresses === "yes"}
        wide
      />
    </div>
  );
}
