import { TextField } from "../kit/Field.tsx";
import { hosts as texts } from "../../lib/i18n/en/hosts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";

const { t } = textsOf(texts);

/** The field for a libvirt's connection URI. */
export function ConnectionField({ value, error }: { value: string | undefined; error: string | undefined }) {
  return (
    <TextField
      label={t("hosts.uri")}
      name="uri"
      hint={t("hosts.uri_hint")}
      defaultValue={value}
      error={error}
      required
      wide
      maxLength={512}
      placeholder="qemu+ssh://root@kvm2/system"
    />
  );
}

/** The field for what people call a host. */
export function LabelField({ value, error }: { value: string | undefined; error: string | undefined }) {
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
