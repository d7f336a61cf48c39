import { FIRMWARES } from "../../lib/contract/choices.ts";
import type { Image, OperatingSystem, Template } from "../../lib/contract/mod.ts";
import { templates as texts } from "../../lib/i18n/en/templates.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { refusalAt, type RefusedForm, typedAgain } from "../../lib/text/refused_form.ts";
import { oneLine } from "../../lib/text/text.ts";
import { SelectField, TextField } from "../kit/Field.tsx";
import { SealFields } from "./SealFields.tsx";

const { t } = textsOf(texts);
const COMMAND = "create_template";

/** Props of {@link ImageTemplateFields}. */
export interface ImageTemplateFieldsProps {
  readonly images: readonly Image[];
  readonly systems: readonly Pick<OperatingSystem, "id" | "name">[];
  readonly networks: readonly string[];
  readonly pools: readonly string[];
  /** Templates that may get a new version instead. */
  readonly list: readonly Pick<Template, "id" | "name">[];
  /** The image that the form begins with. */
  readonly image: string;
  /** Operating system of the image, as far as its name shows it. */
  readonly system: string;
  readonly refused: RefusedForm | null;
}

const named = (names: readonly string[]) => names.map((name) => ({ value: name, label: oneLine(name, 80) }));

/** The fields of a template that is made of an image, or with an empty disk. */
export function ImageTemplateFields(props: ImageTemplateFieldsProps) {
  const { images, systems, networks, pools, list, image, system, refused } = props;
  const typed = typedAgain(refused, COMMAND);
  const at = (field: string) => refusalAt(refused, COMMAND, field);
  const usual = { value: "", label: t("templates.usual") };
  return (
    <div class="form-grid">
      <SelectField
        label={t("templates.image")}
        name="image"
        value={typed?.image ?? image}
        choices={[
          ...named(images.map(({ pool, name }) => `${pool}/${name}`)),
          { value: "", label: t("templates.no_image") },
        ]}
        error={at("image")}
        wide
      />
      {list.length > 0 && (
        <SelectField
          label={t("templates.make_into")}
          name="into"
          value={typed?.into ?? ""}
          choices={[
            { value: "", label: t("templates.make_new") },
            ...list.map(({ id, name }) => ({ value: id, label: t("templates.make_version", { name }) })),
          ]}
        />
      )}
      <TextField
        label={t("templates.name")}
        hint={t("templates.name_hint")}
        name="name"
        maxLength={64}
        defaultValue={typed?.name ?? ""}
        error={at("name")}
      />
      <TextField
        label={t("templates.description")}
        name="description"
        maxLength={1000}
        defaultValue={typed?.description ?? ""}
        error={at("description")}
      />
      <SelectField
        label={t("templates.os")}
        name="osVariant"
        value={typed?.osVariant ?? system}
        choices={[
          { value: "", label: t("templates.os_other") },
          ...systems.map(({ id, name }) => ({ value: id, label: name })),
        ]}
      />
      <TextField
        label={t("templates.cpus")}
        hint={t("templates.usual_hint")}
        name="cpuCount"
        inputMode="numeric"
        defaultValue={typed?.cpuCount ?? ""}
        error={at("cpuCount")}
      />
      <TextField
        label={t("templates.memory")}
        hint={t("templates.usual_hint")}
        name="memoryMb"
        defaultValue={typed?.memoryMb ?? ""}
        error={at("memoryMb")}
        suffix="MiB"
      />
      <TextField
        label={t("templates.disk_size")}
        hint={t("templates.disk_size_hint")}
        name="diskSizeGb"
        defaultValue={typed?.diskSizeGb ?? ""}
        error={at("diskSizeGb")}
        suffix="GiB"
      />
      <SelectField
        label={t("templates.firmware")}
        name="firmware"
        value={typed?.firmware ?? ""}
        choices={[usual, ...named(FIRMWARES)]}
        error={at("firmware")}
      />
      <SelectField
        label={t("templates.network")}
        name="network"
        value={typed?.network ?? ""}
        choices={[usual, ...named(networks)]}
        error={at("network")}
      />
      <SelectField
        label={t("templates.pool")}
        hint={t("templates.pool_hint")}
        name="pool"
        value={typed?.pool ?? ""}
        choices={[usual, ...named(pools)]}
        error={at("pool")}
      />
      <SealFields chosen={typed?.seal?.split(",") ?? []} />
    </div>
  );
}
