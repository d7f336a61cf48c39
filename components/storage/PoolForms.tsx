import type { ComponentChildren } from "preact";
import type { StoragePool, StorageVolume } from "../../lib/contract/mod.ts";
import { formatBytes } from "../../lib/text/quantity.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt, type RefusedForm, typedAgain } from "../../lib/text/refused_form.ts";
import { oneLine } from "../../lib/text/text.ts";
import { storage as texts } from "../../lib/i18n/en/storage.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { CheckField, type FieldFrame, SelectField, TextField } from "../kit/Field.tsx";
import { poolHref } from "../../lib/storage/pool_href.ts";
import { StorageForm } from "./StorageForm.tsx";

const { t } = textsOf(texts);

/** Backing volumes offered by name; a form with thousands would be no help. */
const MOST_BACKINGS = 200;

/** Form of a pool's page, as its address names it → the command it is. */
const FORMS = {
  delete: "delete_storage_pool",
  create_volume: "create_volume",
  resize: "resize_volume",
  clone: "clone_volume",
  convert: "convert_volume",
  wipe: "wipe_volume",
  delete_volume: "delete_volume",
} as const;
export type PoolFormName = keyof typeof FORMS;

/** Whether an address names a form. */
export function isPoolForm(word: string | null): word is PoolFormName {
  return word !== null && Object.hasOwn(FORMS, word);
}

/** Props of {@link PoolForms}. */
export interface PoolFormsProps {
  pool: StoragePool;
  form: PoolFormName;
  /** The volume it is about, where it is about one. */
  volume: StorageVolume | undefined;
  /** Volumes that a new one may be built on. */
  volumes: readonly StorageVolume[];
  refused: RefusedForm | null;
}

/** A form's words and fields. */
interface FormParts {
  readonly title: string;
  readonly submit: string;
  readonly danger?: true;
  readonly fields: ComponentChildren;
}

/** Values and errors of a refused form. */
interface Typed {
  readonly typed: Readonly<Record<string, string>>;
  readonly errorAt: (field: string) => string | undefined;
}

type FieldWords = Omit<FieldFrame, "error">;

/** The name of what is made. */
function NameField({ typed, errorAt, usual = "", ...words }: FieldWords & Typed & { usual?: string }) {
  return (
    <TextField
      {...words}
      error={errorAt("name")}
      name="name"
      required
      maxLength={200}
      defaultValue={typed.name ?? usual}
    />
  );
}

/** A size in GiB. */
function SizeField(
  { typed, errorAt, required, usual = "", ...words }: FieldWords & Typed & {
    required: boolean;
    usual?: string;
  },
) {
  return (
    <TextField
      {...words}
      error={errorAt("capacityBytes")}
      name="capacityBytes:G"
      inputMode="decimal"
      suffix="GiB"
      required={required}
      defaultValue={typed.capacityBytes ?? usual}
    />
  );
}

function newVolume(
  { pool, volumes, refused }: Pick<PoolFormsProps, "pool" | "volumes" | "refused">,
  { typed, errorAt }: Typed,
): FormParts {
  const images = volumes.filter(({ format, encrypted }) =>
    !encrypted && (format === "qcow2" || format === "raw")
  );
  return {
    title: t("storage.new_volume"),
    submit: t("storage.create"),
    fields: (
      <>
        <NameField label={t("storage.name")} {...{ typed, errorAt }} />
        <SizeField
          label={t("storage.new_size")}
          {...(pool.keepsFiles && { hint: t("storage.size_base") })}
          {...{ typed, errorAt }}
          required={!pool.keepsFiles}
          usual="20"
        />
        {pool.keepsFiles && (
          <>
            <SelectField
              label={t("storage.format")}
              error={errorAt("format")}
              name="format"
              value={typed.format ?? ""}
              choices={[{ value: "", label: "qcow2" }, { value: "raw", label: "raw" }]}
            />
            <SelectField
              label={t("storage.preallocation")}
              error={errorAt("preallocation")}
              name="preallocation"
              value={typed.preallocation ?? ""}
              choices={[
                { value: "", label: t("storage.preallocation_none") },
                { value: "metadata", label: t("storage.preallocation_metadata") },
                { value: "full", label: t("storage.preallocation_full") },
              ]}
            />
            <SelectField
              label={t("storage.backing_volume")}
              hint={t("storage.backing_hint")}
              error={errorAt("backing")}
              name="backing"
              value={typed.backing ?? ""}
              choices={[
                { value: "", label: t("storage.backing_none") },
                ...images.slice(0, MOST_BACKINGS).map(({ name }) => ({
                  value: `${pool.name}/${name}`,
                  label: oneLine(name, 80),
                })),
              ]}
            />
            <TextField
              label={t("storage.passphrase")}
              hint={t("storage.passphrase_hint")}
              name="encryption.passphrase"
              type="password"
              autocomplete="new-password"
              minLength={8}
              maxLength={512}
              again={refused?.withheld.includes("encryption.passphrase") ?? false}
            />
          </>
        )}
      </>
    ),
  };
}

function poolDeletion({ pool }: Pick<PoolFormsProps, "pool">): FormParts {
  return {
    title: t("storage.verb_of", { verb: t("storage.delete"), name: oneLine(pool.name, 60) }),
    submit: t("storage.delete"),
    danger: true,
    fields: (
      <>
        <p class="wide form-field">{t("storage.delete_pool_what")}</p>
        <CheckField
          wide
          label={t("storage.delete_content")}
          hint={t("storage.delete_content_hint")}
          name="deleteContent"
          value="yes"
        />
      </>
    ),
  };
}

type VolumeForm = (
  about: { readonly pool: StoragePool; readonly volume: StorageVolume; readonly name: string },
  typed: Typed,
) => Omit<FormParts, "title">;

/** Forms about one volume. */
const VOLUME_FORMS: Readonly<Record<Exclude<PoolFormName, "delete" | "create_volume">, VolumeForm>> = {
  resize: ({ volume }, typed) => ({
    submit: t("storage.resize"),
    fields: (
      <SizeField
        label={t("storage.new_size")}
        hint={t("storage.size_now", { size: formatBytes(volume.capacityBytes) })}
        {...typed}
        required
      />
    ),
  }),
  clone: (_about, typed) => ({
    submit: t("storage.clone"),
    fields: <NameField label={t("storage.clone_name")} hint={t("storage.clone_what")} {...typed} />,
  }),
  convert: ({ volume, name }, typed) => {
    const format = volume.format === "qcow2" ? "raw" : "qcow2";
    const stem = volume.name.replace(/\.(qcow2|raw|img|iso)$/i, "");
    return {
      submit: t("storage.convert"),
      fields: (
        <>
          <SelectField
            label={t("storage.format")}
            name="format"
            value={format}
            choices={[{ value: format, label: format }]}
          />
          <NameField
            label={t("storage.convert_name")}
            hint={t("storage.convert_what", { name })}
            {...typed}
            usual={`${stem}.${format}`}
          />
        </>
      ),
    };
  },
  wipe: ({ name }) => ({
    submit: t("storage.wipe"),
    danger: true,
    fields: <p class="wide form-field">{t("storage.wipe_what", { name })}</p>,
  }),
  delete_volume: ({ pool, name }) => ({
    submit: t("storage.delete"),
    danger: true,
    fields: (
      <>
        <p class="wide form-field">
          {t(pool.keepsFiles ? "storage.delete_volume_bin" : "storage.delete_volume_what", { name })}
        </p>
        {pool.keepsFiles && (
          <CheckField
            wide
            label={t("storage.permanently")}
            hint={t("storage.permanently_hint")}
            name="permanently"
            value="yes"
          />
        )}
      </>
    ),
  }),
};

function partsOf({ form, ...about }: PoolFormsProps, typed: Typed): FormParts | null {
  if (form === "create_volume") return newVolume(about, typed);
  if (form === "delete") return poolDeletion(about);
  const { pool, volume } = about;
  if (volume === undefined) return null;
  const name = oneLine(volume.name, 60);
  const parts = VOLUME_FORMS[form]({ pool, volume, name }, typed);
  return { ...parts, title: t("storage.verb_of", { verb: parts.submit, name }) };
}

/** The form that a pool's page was asked for; nothing where its volume is not there. */
export function PoolForms(props: PoolFormsProps) {
  const { pool, form, volume, refused } = props, command = FORMS[form];
  const parts = partsOf(props, {
    typed: typedAgain(refused, command) ?? {},
    errorAt: (field) => refusalAt(refused, command, field),
  });
  if (parts === null) return null;
  const { fields, ...words } = parts, here = poolHref(pool.name);
  const about = volume === undefined ? {} : { volume: volume.name };
  const from = `${here}?${new URLSearchParams({ do: form, ...about })}`;
  return (
    <StorageForm
      {...words}
      action={formHref(command, { pool: pool.name, ...about }, form === "delete" ? "/storage" : here, from)}
      cancel={here}
    >
      {fields}
    </StorageForm>
  );
}
