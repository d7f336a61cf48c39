import CopyText from "../../islands/CopyText.tsx";
import { HostLabelField } from "./HostNameField.tsx";
import { TextField } from "../kit/Field.tsx";
import type { RefusedForm } from "../../lib/text/refused_form.ts";
import { refusalAt } from "../../lib/text/refused_form.ts";
import { HostKeyField } from "./HostKeyField.tsx";
import { hosts as texts } from "../../lib/i18n/en/hosts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";

const { t } = textsOf(texts);

/** Props of {@link ConnectionFields}. */
export interface ConnectionFieldsProps {
  /** The command that the form is for, and what became of it. */
  command: "add_host" | "update_host";
  refused: RefusedForm | null;
  /** Initial values of the fields. */
  label?: string;
  uri?: string;
  /** User name for libvirt. */
  username?: string | undefined;
  /** KVM Manager's public key; undefined where it cannot be told. */
  publicKey: string | undefined;
}

/** Name of a host, address of its libvirt, and settings of SSH and libvirt for it. */
export function ConnectionFields(
  { command, refused, label, uri, username, publicKey }: ConnectionFieldsProps,
) {
  const typed = refused?.command === command ? refused.typed : undefined;
  // The address of a KVM Manager, which has no libvirt to sign in to
  const isLinked = uri?.startsWith("https:") === true;
  const isWithheld = (field: string) => refused?.command === command && refused.withheld.includes(field);
  const errorAt = (field: string) => refusalAt(refused, command, field);
  return (
    <>
      <HostLabelField value={typed?.label ?? label} error={errorAt("label")} />
      <TextField
        label={t("hosts.uri")}
        name="uri"
        hint={t("hosts.uri_hint")}
        defaultValue={typed?.uri ?? uri}
        error={errorAt("uri")}
        required
        wide
        maxLength={512}
        placeholder="qemu+ssh://root@kvm2/system"
      />
      <HostKeyField command={command} refused={refused} />
      <TextField
        label={t("hosts.password")}
        name="password"
        type="password"
        autocomplete="off"
        hint={t("hosts.password_hint")}
        error={errorAt("password")}
        again={isWithheld("password")}
        maxLength={1024}
      />
      {publicKey !== undefined && (
        <div class="form-field wide">
          <span class="form-label">{t("hosts.public_key")}</span>
          <span class="copy-line">
            <code class="mono">{publicKey}</code> <CopyText text={publicKey} what={t("hosts.public_key")} />
          </span>
          <p class="form-hint">{t("hosts.public_key_hint")}</p>
        </div>
      )}
      {!isLinked && (
        <>
          <TextField
            label={t("hosts.username")}
            name="username"
            hint={t("hosts.username_hint")}
            defaultValue={typed?.username ?? username}
            error={errorAt("username")}
            maxLength={255}
          />
          <TextField
            label={t("hosts.user_password")}
            name="userPassword"
            type="password"
            autocomplete="new-password"
            hint={t(username === undefined ? "hosts.user_password_hint" : "hosts.user_password_kept_hint")}
            error={errorAt("userPassword")}
            again={isWithheld("userPassword")}
            maxLength={1024}
          />
        </>
      )}
    </>
  );
}
