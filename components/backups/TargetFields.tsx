import { type BackupTargetKind, SHORTEST_PASSPHRASE } from "../../lib/contract/mod.ts";
import { backupTargets as texts } from "../../lib/i18n/en/backup_targets.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { CheckField, Field, TextField } from "../kit/Field.tsx";

const { t } = textsOf(texts);
type Text = PlainKeyOf<typeof texts>;

/** Props of {@link BackupTargetFields}. */
export interface BackupTargetFieldsProps {
  kind: BackupTargetKind;
  /** Values typed before, by the names of the fields; secrets are not given back. */
  values: Readonly<Record<string, string>>;
  errorAt: (field: string) => string | undefined;
  /** The form was refused: its secrets are to be typed again. */
  again: boolean;
  /** It is there already: a secret that is left empty stays as it is. */
  isKept?: boolean;
}

interface Line {
  readonly name: string;
  readonly label: Text;
  readonly hint?: Text;
  readonly more?: object;
  /** Typed, and never shown again. */
  readonly secret?: true;
  /** Of several lines. */
  readonly long?: true;
}

const REQUIRED = { required: true } as const;
/** Kind → its fields, as they stand below one another. */
const LINES: Readonly<Record<BackupTargetKind, readonly Line[]>> = {
  folder: [{
    name: "folder",
    label: "targets.folder",
    hint: "targets.folder_hint",
    more: { ...REQUIRED, maxLength: 1024, placeholder: "/mnt/backup" },
  }],
  pool: [{ name: "pool", label: "targets.pool", hint: "targets.pool_hint", more: REQUIRED }],
  s3: [
    {
      name: "endpoint",
      label: "targets.endpoint",
      more: { ...REQUIRED, type: "url", placeholder: "https://s3.example.org" },
    },
    { name: "region", label: "targets.region", hint: "targets.region_hint" },
    { name: "bucket", label: "targets.bucket", hint: "targets.bucket_hint", more: REQUIRED },
    { name: "prefix", label: "targets.prefix", hint: "targets.prefix_hint" },
    { name: "accessKey", label: "targets.access_key", more: REQUIRED },
    { name: "secretKey", label: "targets.secret_key", secret: true, more: REQUIRED },
    { name: "certificate", label: "targets.certificate", hint: "targets.certificate_hint", long: true },
  ],
  sftp: [
    { name: "server", label: "targets.host", more: REQUIRED },
    {
      name: "port",
      label: "targets.port",
      hint: "targets.port_hint",
      more: { type: "number", min: 1, max: 65535 },
    },
    { name: "user", label: "targets.user", more: REQUIRED },
    { name: "path", label: "targets.path", hint: "targets.path_hint", more: REQUIRED },
    { name: "password", label: "targets.password", secret: true },
    {
      name: "privateKey",
      label: "targets.private_key",
      hint: "targets.private_key_hint",
      secret: true,
      long: true,
    },
    { name: "hostKey", label: "targets.host_key", hint: "targets.host_key_hint" },
  ],
};

/** One field of a kind. */
function TargetLine(
  { line, values, errorAt, again, isKept }: { line: Line } & Required<Omit<BackupTargetFieldsProps, "kind">>,
) {
  const { name, label, hint, more = {}, secret, long } = line;
  const text = secret && isKept ? t("targets.secret_kept") : hint === undefined ? undefined : t(hint);
  const shared = { label: t(label), error: errorAt(name), ...(text !== undefined && { hint: text }) };
  if (long) {
    return (
      <Field
        {...shared}
        wide
        control={(ties) => (
          <textarea
            class="input xml-input"
            name={name}
            rows={4}
            spellcheck={false}
            autocomplete="off"
            {...ties}
          >
            {secret ? "" : values[name] ?? ""}
          </textarea>
        )}
      />
    );
  }
  if (!secret) return <TextField {...shared} name={name} defaultValue={values[name] ?? ""} {...more} />;
  return (
    <TextField
      {...shared}
      name={name}
      type="password"
      autocomplete="new-password"
      again={again}
      {...more}
      {...(isKept && { required: false })}
    />
  );
}

/** The fields of a backup target, as far as its kind has them. */
export function BackupTargetFields(
  { kind, values, errorAt, again, isKept = false }: BackupTargetFieldsProps,
) {
  const isRemote = kind === "s3" || kind === "sftp";
  return (
    <div class="form-grid">
      <TextField
        label={t("targets.name")}
        name="name"
        required
        maxLength={100}
        defaultValue={values.name ?? ""}
        error={errorAt("name")}
      />
      {LINES[kind].map((line) => (
        <TargetLine
          key={line.name}
          {...{ line, values, errorAt, again, isKept }}
        />
      ))}
      {kind === "s3" && (
        <>
          <input type="hidden" name="pathStyle" value="no" />
          <CheckField
            label={t("targets.path_style")}
            hint={t("targets.path_style_hint")}
            name="pathStyle"
            value="yes"
            defaultChecked={(values.pathStyle ?? "yes") === "yes"}
            wide
          />
        </>
      )}
      {isRemote && (
        <>
          <input type="hidden" name="privateAddresses" value="no" />
          <CheckField
            label={t("targets.private")}
            hint={t("targets.private_hint")}
            name="privateAddresses"
            value="yes"
            defaultChecked={values.privateAddresses === "yes"}
            wide
          />
        </>
      )}
      {!isKept && (
        <>
          <TextField
            label={t("targets.passphrase")}
            hint={t("targets.passphrase_hint")}
            name="passphrase"
            type="password"
            autocomplete="new-password"
            minLength={SHORTEST_PASSPHRASE}
            again={again}
            error={errorAt("passphrase")}
          />
          <TextField
            label={t("targets.passphrase_again")}
            name="passphraseAgain"
            type="password"
            autocomplete="new-password"
            again={again}
            error={errorAt("passphraseAgain")}
          />
          <p class="form-field wide backup-warning" role="note">{t("targets.passphrase_warning")}</p>
        </>
      )}
    </div>
  );
}
