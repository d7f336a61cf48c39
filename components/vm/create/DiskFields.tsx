import type { NewDisk } from "../../../lib/contract/mod.ts";
import { SelectField, TextField } from "../../kit/Field.tsx";
import { Icon } from "../../kit/Icon.tsx";
import { poolChoices } from "./BasicFields.tsx";
import { Disclosure } from "../../kit/Disclosure.tsx";
import { CopyFields } from "./CopyFields.tsx";
import {
  automatic,
  changed,
  type CreateProps,
  deviceChoices,
  plainChoices,
  t,
  typedNumber,
  undefinedIfEmpty,
  word,
} from "./props.ts";

const CACHES = ["none", "writeback", "writethrough", "directsync", "unsafe"] as const;
/** GiB of a disk that is added. */
const ADDED_GB = 20;

function DiskRow(props: CreateProps & { index: number; disk: NewDisk }) {
  const { model, options, bounds, index, disk } = props;
  const at = `disks.${index}`;
  const n = index + 1;
  const change = (field: keyof NewDisk, value: NewDisk[keyof NewDisk]) =>
    model.changeDisk(index, changed(disk, field, value));
  const isImage = disk.path !== undefined;
  const bus = model.resolved.value?.disks[index]?.bus;
  return (
    <fieldset class="form-row">
      <legend>{t("create.disk_n", { n })}</legend>
      <div class="form-grid">
        {isImage
          ? (
            <TextField
              wide
              label={t("create.path")}
              value={disk.path}
              error={model.error(`${at}.path`) ?? model.error(at)}
              onInput={({ currentTarget: { value } }) => change("path", value)}
            />
          )
          : (
            <>
              <TextField
                label={t("create.disk_size")}
                type="number"
                min={bounds.diskSizeGb.minimum}
                max={bounds.diskSizeGb.maximum}
                suffix="GiB"
                value={disk.sizeGb ?? ""}
                hint={model.warning(`${at}.sizeGb`)}
                error={model.error(`${at}.sizeGb`) ?? model.error(at)}
                onInput={({ currentTarget: { value } }) => change("sizeGb", typedNumber(value))}
              />
              <SelectField
                label={t("create.pool")}
                value={disk.pool ?? options.pool ?? ""}
                choices={poolChoices(options)}
                error={model.error(`${at}.pool`)}
                onChange={({ currentTarget: { value } }) => change("pool", undefinedIfEmpty(value))}
              />
            </>
          )}
        <SelectField
          label={t("create.format")}
          value={disk.format ?? ""}
          choices={[
            isImage ? { value: "", label: t("create.format_auto") } : automatic("qcow2"),
            ...plainChoices(["qcow2", "raw"]),
          ]}
          error={model.error(`${at}.format`)}
          onChange={({ currentTarget: { value } }) => change("format", word(value))}
        />
        {isImage && <CopyFields {...props} />}
        <SelectField
          label={t("create.bus")}
          value={disk.bus ?? ""}
          choices={[automatic(bus), ...deviceChoices("bus", options.diskBuses)]}
          error={model.error(`${at}.bus`)}
          onChange={({ currentTarget: { value } }) => change("bus", word(value))}
        />
        <SelectField
          label={t("create.cache")}
          value={disk.cache ?? ""}
          choices={[automatic(), ...deviceChoices("cache", CACHES)]}
          onChange={({ currentTarget: { value } }) => change("cache", word(value))}
        />
      </div>
      <button
        type="button"
        class="icon-button"
        aria-label={t("create.remove_disk", { n })}
        title={t("create.remove")}
        onClick={() => model.changeDisk(index, null)}
      >
        <Icon name="trash" />
      </button>
    </fieldset>
  );
}

/** Every disk, with what is rarely chosen. */
export function DiskFields(props: CreateProps) {
  const { model } = props;
  const disks = model.disks.value;
  const add = (disk: NewDisk) => model.set({ disks: [...disks, disk] });
  return (
    <Disclosure
      title={t("create.more_disks")}
      wrong={disks.some((_, n) => model.error(`disks.${n}`) !== undefined)}
    >
      {disks.length === 0 && <p class="form-note">{t("create.no_disks")}</p>}
      {disks.map((disk, index) => <DiskRow key={index} {...props} index={index} disk={disk} />)}
      <div class="form-actions">
        <button type="button" class="button" onClick={() => add({ sizeGb: ADDED_GB })}>
          {t("create.add_disk")}
        </button>
        <button type="button" class="button" onClick={() => add({ path: "", copyAs: "qcow2" })}>
          {t("create.add_image")}
        </button>
      </div>
    </Disclosure>
  );
}
