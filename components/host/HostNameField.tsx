import { hosts as texts } from "../../lib/i18n/en/hosts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { TextField } from "../kit/Field.tsx";

const { t } = textsOf(texts);

/** The name of a host that is added, which is its id from then on. */
export function HostNameField(
  { value, error }: { value: string | undefined; error: string | undefined },
) {
  return (
    <TextField
      label={t("hosts.name")}
      name="name"
      hint={t("hosts.name_hint")}
      defaultValue={value}
      error={error}
      required
      maxLength={40}
      pattern="[a-z0-9]([a-z0-9.\-]*[a-z0-9])?"
    />
  );
}

/** Field for the display name of a host. */
export function HostLabelField(
  { value, error }: { value: string | undefined; error: string | undefined },
) {
  return (
    <TextField
      label={t("hosts.label")}
      name="label"
      hint={t("hosts.label_hint")}
      defaultValue={value}
      error={error}
      maxLength={60}
    />
  );
}
