import type { CommandName, DeviceOptions, Input, VmDisk } from "../../../lib/contract/mod.ts";
import type { FieldPath } from "../../../lib/text/command_fields.ts";
import { diskTexts } from "../../../lib/text/disk_texts.ts";
import { PART } from "../../../lib/text/form_names.ts";
import { formatBytes } from "../../../lib/text/quantity.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { disks as texts } from "../../../lib/i18n/en/disks.ts";
import { type PlainKeyOf, textsOf } from "../../../lib/i18n/mod.ts";
import type { ErrorOf } from "./DeviceForm.tsx";
import { ATTACH_DISK, RESIZE_DISK, TUNED_NEW } from "./disk_fields.const.ts";
import { DiskLimitFields } from "./LimitFields.tsx";
import { ContractField, ContractFields, type ContractForm } from "../../kit/ContractField.tsx";
import type { FieldChoice } from "../../kit/Field.tsx";
import { WhereField } from "./WhereField.tsx";
import { GIB } from "../../../lib/text/byte_units.ts";

const { t } = textsOf(texts);
/** Size proposed for a new disk, in GiB. */
const NEW_GIB = 20;

const isIso = ({ name, format }: DeviceOptions["pools"][number]["volumes"][number]) =>
  format === "iso" || /\.(iso|img)$/i.test(name);

/** Every image in the host's pools that a VM can be given: media, or disks that no VM has. */
function images(options: DeviceOptions, media: boolean): FieldChoice[] {
  return options.pools.flatMap((pool) =>
    pool.volumes.filter((volume) =>
      media && volume.format === "iso" ||
      volume.usedBy.length === 0 && (media ? isIso(volume) : volume.format !== "iso")
    ).map((volume) => ({
      value: `${pool.name}/${volume.name}`,
      label: t("devices.image_choice", {
        pool: oneLine(pool.name, 40),
        name: oneLine(volume.name, 80),
        size: formatBytes(volume.capacityBytes),
      }),
    }))
  );
}

type WithPath = { [C in CommandName]: "path" extends FieldPath<Input<C>> ? C : never }[CommandName];

/** An image of a pool, or where it lies: what is typed goes before what is chosen. */
function ImageFields<C extends WithPath>({ form, label, none, choices, part, placeholder }: {
  form: ContractForm<C>;
  label: string;
  none: string;
  choices: readonly FieldChoice[];
  part?: string;
  placeholder: string;
}) {
  const field = "path" as FieldPath<Input<C>>, at = part === undefined ? {} : { part };
  return (
    <>
      <ContractField
        form={{ of: form.of, texts: form.texts }}
        field={field}
        label={label}
        wide
        choices={[{ value: "", label: none }, ...choices]}
        {...at}
      />
      <ContractField
        form={form}
        field={field}
        isOptional
        placeholder={placeholder}
        wide={part !== "existing"}
        {...at}
      />
    </>
  );
}

/** The choice of a medium. @param part the part of the form that it is in; without one, it must be named */
export function MediumFields<C extends WithPath>({ form, options, part }: {
  form: ContractForm<C>;
  options: DeviceOptions;
  part?: string;
}) {
  return (
    <ImageFields
      form={form}
      label={t("devices.field_medium")}
      none={t(part === undefined ? "devices.image_choose" : "devices.medium_none")}
      choices={images(options, true)}
      placeholder="/path/to/image.iso"
      {...(part !== undefined && { part })}
    />
  );
}

/** Sources of a new disk: parts of the form. */
const KINDS: readonly { value: string; label: PlainKeyOf<typeof texts> }[] = [
  { value: "create", label: "devices.what_create" },
  { value: "existing", label: "devices.what_existing" },
  { value: "cdrom", label: "devices.what_cdrom" },
];
/** The parts that are about a disk. */
const DISK_PARTS = "create,existing";

/** Everything about a new disk or drive. What is not about the chosen kind is hidden by the stylesheet. */
export function NewDiskFields({ options, errorOf, running, persistent, isDrive }: {
  options: DeviceOptions;
  errorOf: ErrorOf;
  running: boolean;
  persistent: boolean;
  /** A drive is what is proposed, not a new disk. */
  isDrive: boolean;
}) {
  const form = { of: ATTACH_DISK, texts: diskTexts, errorOf };
  return (
    <>
      <fieldset class="kind-choice">
        <legend>{t("devices.what")}</legend>
        {KINDS.map(({ value, label }) => (
          <label key={value} class="kind">
            <input
              type="radio"
              name={PART}
              value={value}
              defaultChecked={value === (isDrive ? "cdrom" : "create")}
            />
            <span>{t(label)}</span>
          </label>
        ))}
      </fieldset>
      <div class="device-grid" data-for="create">
        <ContractField form={form} field="create.sizeGb" part="create" value={NEW_GIB} />
        <ContractField
          form={form}
          field="create.pool"
          part="create"
          value={options.pools.find(({ name }) => name === "default")?.name ?? options.pools[0]?.name}
          choices={options.pools.length === 0
            ? [{ value: "", label: t("devices.pool_automatic") }]
            : options.pools.map(({ name, availableBytes }) => ({
              value: name,
              label: t("devices.pool_choice", { pool: oneLine(name, 40), free: formatBytes(availableBytes) }),
            }))}
        />
        <ContractField form={form} field="create.format" part="create" value="qcow2" />
      </div>
      <div class="device-grid" data-for="existing">
        <ImageFields
          form={form}
          label={t("devices.field_image")}
          none={t("devices.image_choose")}
          choices={images(options, false)}
          placeholder="/path/to/image.qcow2"
          part="existing"
        />
        <ContractField
          form={form}
          field="format"
          part="existing"
          label={t("devices.field_path_format")}
          none={t("devices.as_recorded")}
        />
      </div>
      <div class="device-grid" data-for="cdrom">
        <input type="hidden" name="device@cdrom" value="cdrom" />
        <MediumFields form={form} options={options} part="cdrom" />
      </div>
      <div class="device-grid">
        <ContractField form={form} field="bus" />
        <WhereField running={running} persistent={persistent} />
      </div>
      <details class="device-more" data-for="disk">
        <summary>{t("devices.advanced")}</summary>
        <div class="device-grid">
          <ContractFields form={form} fields={TUNED_NEW} part={DISK_PARTS} />
        </div>
      </details>
      <DiskLimitFields form={form} part={DISK_PARTS} />
    </>
  );
}

/** A disk's new size. */
export function SizeFields({ disk, errorOf }: { disk: VmDisk; errorOf: ErrorOf }) {
  const { capacityBytes } = disk;
  const least = capacityBytes === undefined ? 1 : Math.floor(capacityBytes / GIB) + 1;
  return (
    <>
      <ContractField
        form={{ of: RESIZE_DISK, texts: diskTexts, errorOf }}
        field="sizeGb"
        hint={t("devices.resize_now", {
          size: capacityBytes === undefined ? t("devices.unknown") : formatBytes(capacityBytes),
        })}
        value={least}
        autoFocus
      />
      <p class="text-muted">{t("devices.resize_guest")}</p>
    </>
  );
}
