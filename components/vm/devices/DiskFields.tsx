import {
  CACHE_CHOICES,
  DISK_BUSES,
  DISK_DETECT_ZEROES,
  DISK_DISCARD,
  DISK_FORMATS,
  DISK_IO,
} from "../../../lib/contract/choices.ts";
import type { DeviceOptions, VmDisk } from "../../../lib/contract/mod.ts";
import { type DeviceField, deviceValue } from "../../../lib/text/device_values.ts";
import { formatBytes } from "../../../lib/text/quantity.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { devices as texts } from "../../../lib/i18n/en/devices.ts";
import { type PlainKeyOf, textsOf } from "../../../lib/i18n/mod.ts";
import type { ErrorOf } from "./DeviceForm.tsx";
import { DiskLimitFields } from "./LimitFields.tsx";
import { CheckField, type FieldChoice, SelectField, TextField } from "../../kit/Field.tsx";
import { GIB } from "../../../lib/text/byte_units.ts";

const { t } = textsOf(texts);
/** Size proposed for a new disk, in GiB. */
const NEW_GIB = 20;

const plain = (words: readonly string[]): FieldChoice[] => words.map((value) => ({ value, label: value }));
const told = (field: DeviceField, words: readonly string[]): FieldChoice[] =>
  words.map((value) => ({
    value,
    label: value === "default" ? t("devices.default") : deviceValue(field, value),
  }));

/** When a change is made. */
export function WhereField({ running, persistent }: { running: boolean; persistent: boolean }) {
  if (!running || !persistent) return null;
  return (
    <SelectField
      label={t("devices.field_where")}
      name="where"
      value="both"
      choices={[
        { value: "both", label: t("devices.where_both") },
        { value: "live", label: t("devices.where_live") },
        { value: "next", label: t("devices.where_next") },
      ]}
    />
  );
}

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

/** The choice of a medium. */
export function MediumFields({ options, errorOf, optional = false }: {
  options: DeviceOptions;
  errorOf: ErrorOf;
  optional?: boolean;
}) {
  const none = t(optional ? "devices.medium_none" : "devices.image_choose");
  return (
    <>
      <SelectField
        label={t("devices.field_medium")}
        name="medium"
        value=""
        wide
        error={errorOf("medium")}
        choices={[{ value: "", label: none }, ...images(options, true)]}
      />
      <TextField
        label={t("devices.field_path")}
        name="mediumPath"
        wide
        placeholder="/path/to/image.iso"
        error={errorOf("mediumPath")}
      />
    </>
  );
}

/** How a disk is run. */
export function TuningFields({ disk, errorOf }: { disk?: VmDisk; errorOf: ErrorOf }) {
  const isDrive = disk !== undefined && disk.device !== "disk";
  return (
    <>
      <SelectField
        label={t("devices.field_cache")}
        hint={t("devices.cache_hint")}
        name="cache"
        value={disk?.cache ?? "default"}
        choices={told("cache", CACHE_CHOICES)}
      />
      <SelectField
        label={t("devices.field_io")}
        hint={t("devices.io_hint")}
        name="io"
        value={disk?.io ?? "default"}
        choices={told("io", DISK_IO)}
      />
      {isDrive ? <input type="hidden" name="drive" value="yes" /> : (
        <>
          <SelectField
            label={t("devices.field_discard")}
            hint={t("devices.discard_hint")}
            name="discard"
            value={disk?.discard ?? "default"}
            choices={told("discard", DISK_DISCARD)}
          />
          <SelectField
            label={t("devices.field_zeroes")}
            hint={t("devices.zeroes_hint")}
            name="detectZeroes"
            value={disk?.detectZeroes ?? "default"}
            choices={told("detectZeroes", DISK_DETECT_ZEROES)}
          />
          <TextField
            label={t("devices.field_serial")}
            hint={t("devices.serial_hint")}
            name="serial"
            defaultValue={disk?.serial ?? ""}
            maxLength={20}
            error={errorOf("serial")}
          />
        </>
      )}
      {disk !== undefined && (
        <TextField
          label={t("devices.field_boot")}
          hint={t("devices.boot_hint")}
          name="bootOrder"
          type="number"
          min={0}
          max={64}
          defaultValue={disk.bootOrder ?? 0}
        />
      )}
      {!isDrive && (
        <>
          <CheckField
            label={t("devices.field_read_only")}
            name="readOnly"
            value="yes"
            defaultChecked={disk?.readOnly ?? false}
            wide
          />
          <CheckField
            label={t("devices.field_shareable")}
            name="shareable"
            value="yes"
            defaultChecked={disk?.shareable ?? false}
            wide
          />
        </>
      )}
    </>
  );
}

const KINDS: readonly { value: string; label: PlainKeyOf<typeof texts> }[] = [
  { value: "create", label: "devices.what_create" },
  { value: "existing", label: "devices.what_existing" },
  { value: "cdrom", label: "devices.what_cdrom" },
];

/** Everything about a new disk or drive. What is not about the chosen kind is hidden by the stylesheet. */
export function NewDiskFields({ options, errorOf, running, persistent, isDrive }: {
  options: DeviceOptions;
  errorOf: ErrorOf;
  running: boolean;
  persistent: boolean;
  /** A drive is what is proposed, not a new disk. */
  isDrive: boolean;
}) {
  return (
    <>
      <fieldset class="kind-choice">
        <legend>{t("devices.what")}</legend>
        {KINDS.map(({ value, label }) => (
          <label key={value} class="kind">
            <input
              type="radio"
              name="what"
              value={value}
              defaultChecked={value === (isDrive ? "cdrom" : "create")}
            />
            <span>{t(label)}</span>
          </label>
        ))}
      </fieldset>
      <div class="device-grid" data-for="create">
        <TextField
          label={t("devices.field_size")}
          name="sizeGb"
          type="number"
          min={1}
          step={1}
          defaultValue={NEW_GIB}
          suffix={t("devices.unit_gib")}
          error={errorOf("sizeGb")}
        />
        <SelectField
          label={t("devices.field_pool")}
          name="pool"
          value={options.pools.find(({ name }) => name === "default")?.name ?? options.pools[0]?.name ?? ""}
          error={errorOf("pool")}
          choices={options.pools.length === 0
            ? [{ value: "", label: t("devices.pool_automatic") }]
            : options.pools.map(({ name, availableBytes }) => ({
              value: name,
              label: t("devices.pool_choice", { pool: oneLine(name, 40), free: formatBytes(availableBytes) }),
            }))}
        />
        <SelectField
          label={t("devices.field_format")}
          hint={t("devices.format_hint")}
          name="format"
          value="qcow2"
          choices={plain(DISK_FORMATS)}
        />
      </div>
      <div class="device-grid" data-for="existing">
        <SelectField
          label={t("devices.field_image")}
          name="image"
          value=""
          wide
          error={errorOf("image")}
          choices={[{ value: "", label: t("devices.image_choose") }, ...images(options, false)]}
        />
        <TextField
          label={t("devices.field_path")}
          name="imagePath"
          placeholder="/path/to/image.qcow2"
          error={errorOf("imagePath")}
        />
        <SelectField
          label={t("devices.field_path_format")}
          name="imageFormat"
          value=""
          choices={[{ value: "", label: t("devices.as_recorded") }, ...plain(DISK_FORMATS)]}
        />
      </div>
      <div class="device-grid" data-for="cdrom">
        <MediumFields options={options} errorOf={errorOf} optional />
      </div>
      <div class="device-grid">
        <SelectField
          label={t("devices.field_bus")}
          hint={t("devices.bus_hint")}
          name="bus"
          value=""
          error={errorOf("bus")}
          choices={[{ value: "", label: t("devices.automatic") }, ...told("bus", DISK_BUSES)]}
        />
        <WhereField running={running} persistent={persistent} />
      </div>
      <details class="device-more" data-for="disk">
        <summary>{t("devices.advanced")}</summary>
        <div class="device-grid">
          <TuningFields errorOf={errorOf} />
        </div>
      </details>
      <DiskLimitFields errorOf={errorOf} />
    </>
  );
}

/** A disk's new size. */
export function SizeFields({ disk, errorOf }: { disk: VmDisk; errorOf: ErrorOf }) {
  const { capacityBytes } = disk;
  const least = capacityBytes === undefined ? 1 : Math.floor(capacityBytes / GIB) + 1;
  return (
    <>
      <TextField
        label={t("devices.field_size")}
        hint={t("devices.resize_now", {
          size: capacityBytes === undefined ? t("devices.unknown") : formatBytes(capacityBytes),
        })}
        name="sizeGb"
        type="number"
        step={1}
        defaultValue={least}
        suffix={t("devices.unit_gib")}
        error={errorOf("sizeGb")}
        autoFocus
      />
      <p class="text-muted">{t("devices.resize_guest")}</p>
    </>
  );
}
