import type { StoragePool, StorageVolume } from "../../lib/contract/mod.ts";
import type { Failure } from "../../lib/text/failure.ts";
import { formatBytes } from "../../lib/text/quantity.ts";
import type { StorageAction } from "../../lib/storage/forms.ts";
import { oneLine } from "../../lib/text/text.ts";
import { storage as texts } from "../../lib/i18n/en/storage.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { CheckField, SelectField, TextField } from "../kit/Field.tsx";
import { poolHref } from "./PoolParts.tsx";
import { StorageForm } from "./StorageForm.tsx";

const { t } = textsOf(texts);

/** Backing volumes offered by name; a form with thousands would be no help. */
const MOST_BACKINGS = 200;

/** Props of {@link PoolForms}. */
export interface PoolFormsProps {
  pool: StoragePool;
  /** Which form. */
  formAction: StorageAction;
  /** The volume it is about, where it is about one. */
  volume: StorageVolume | undefined;
  volumes: readonly StorageVolume[];
  /** What was typed, where it was refused. */
  typed: Readonly<Record<string, string>>;
  failure: Failure | null;
}

function NewVolume({ pool, volumes, typed, ...frame }: Omit<PoolFormsProps, "deed" | "volume">) {
  const here = poolHref(pool.name);
  const images = volumes.filter(({ format }) => format === "qcow2" || format === "raw");
  return (
    <StorageForm
      title={t("storage.new_volume")}
      action={here}
      does="create_volume"
      submit={t("storage.create")}
      cancel={here}
      {...frame}
    >
      <TextField
        label={t("storage.name")}
        name="name"
        required
        maxLength={200}
        defaultValue={typed.name ?? ""}
      />
      <TextField
        label={t("storage.size_gib")}
        {...(pool.keepsFiles && { hint: t("storage.size_base") })}
        name="sizeGib"
        inputMode="decimal"
        suffix="GiB"
        required={!pool.keepsFiles}
        defaultValue={typed.sizeGib ?? "20"}
      />
      {pool.keepsFiles && (
        <>
          <SelectField
            label={t("storage.format")}
            name="format"
            value={typed.format ?? "qcow2"}
            choices={["qcow2", "raw"].map((value) => ({ value, label: value }))}
          />
          <SelectField
            label={t("storage.preallocation")}
            name="preallocation"
            value={typed.preallocation ?? "none"}
            choices={[
              { value: "none", label: t("storage.preallocation_none") },
              { value: "metadata", label: t("storage.preallocation_metadata") },
              { value: "full", label: t("storage.preallocation_full") },
            ]}
          />
          <SelectField
            label={t("storage.backing_volume")}
            hint={t("storage.backing_hint")}
            name="backing"
            value={typed.backing ?? ""}
            choices={[
              { value: "", label: t("storage.backing_none") },
              ...images.filter(({ encrypted }) => !encrypted).slice(0, MOST_BACKINGS).map(({ name }) => ({
                value: name,
                label: oneLine(name, 80),
              })),
            ]}
          />
          <TextField
            label={t("storage.passphrase")}
            hint={t("storage.passphrase_hint")}
            name="passphrase"
            type="password"
            autocomplete="new-password"
            minLength={8}
            maxLength={512}
            again={(typed.passphrase ?? "") !== ""}
          />
        </>
      )}
    </StorageForm>
  );
}

/** The form that a pool's page was asked for. */
export function PoolForms(props: PoolFormsProps) {
  const { pool, formAction, volume, typed, failure } = props;
  const here = poolHref(pool.name);
  const frame = { action: here, does: formAction, cancel: here, failure };
  if (formAction === "create_volume") return <NewVolume {...props} />;
  if (formAction === "delete") {
    return (
      <StorageForm
        {...frame}
        title={t("storage.verb_of", { verb: t("storage.delete"), name: oneLine(pool.name, 60) })}
        submit={t("storage.delete")}
        danger
      >
        <p class="wide form-field">{t("storage.delete_pool_what")}</p>
        <CheckField
          wide
          label={t("storage.delete_content")}
          hint={t("storage.delete_content_hint")}
          name="deleteContent"
          value="yes"
        />
      </StorageForm>
    );
  }
  if (volume === undefined) return null;
  const name = oneLine(volume.name, 60);
  const hidden = <input type="hidden" name="volume" value={volume.name} />;
  switch (formAction) {
    case "resize":
      return (
        <StorageForm
          {...frame}
          title={t("storage.verb_of", { verb: t("storage.resize"), name })}
          submit={t("storage.resize")}
        >
          {hidden}
          <TextField
            label={t("storage.size_gib")}
            hint={t("storage.size_now", { size: formatBytes(volume.capacityBytes) })}
            name="sizeGib"
            inputMode="decimal"
            suffix="GiB"
            required
            defaultValue={typed.sizeGib ?? ""}
          />
        </StorageForm>
      );
    case "clone":
      return (
        <StorageForm
          {...frame}
          title={t("storage.verb_of", { verb: t("storage.clone"), name })}
          submit={t("storage.clone")}
        >
          {hidden}
          <TextField
            label={t("storage.clone_name")}
            hint={t("storage.clone_what")}
            name="name"
            required
            maxLength={200}
            defaultValue={typed.name ?? ""}
          />
        </StorageForm>
      );
    case "convert": {
      const format = volume.format === "qcow2" ? "raw" : "qcow2";
      const stem = volume.name.replace(/\.(qcow2|raw|img|iso)$/i, "");
      return (
        <StorageForm
          {...frame}
          title={t("storage.verb_of", { verb: t("storage.convert"), name })}
          submit={t("storage.convert")}
        >
          {hidden}
          <SelectField
            label={t("storage.format")}
            name="format"
            value={format}
            choices={[{ value: format, label: format }]}
          />
          <TextField
            label={t("storage.convert_name")}
            hint={t("storage.convert_what", { name })}
            name="name"
            required
            maxLength={200}
            defaultValue={typed.name ?? `${stem}.${format}`}
          />
        </StorageForm>
      );
    }
    case "wipe":
    case "delete_volume": {
      const verb = t(formAction === "wipe" ? "storage.wipe" : "storage.delete");
      const deletion = pool.keepsFiles ? "storage.delete_volume_bin" : "storage.delete_volume_what";
      return (
        <StorageForm {...frame} title={t("storage.verb_of", { verb, name })} submit={verb} danger>
          {hidden}
          <p class="wide form-field">
            {t(formAction === "wipe" ? "storage.wipe_what" : deletion, { name })}
          </p>
          {formAction !== "wipe" && pool.keepsFiles && (
            <CheckField
              wide
              label={t("storage.permanently")}
              hint={t("storage.permanently_hint")}
              name="permanently"
              value="yes"
            />
          )}
        </StorageForm>
      );
    }
    default:
      return null;
  }
}
