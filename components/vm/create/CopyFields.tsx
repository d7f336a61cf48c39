import type { NewDisk } from "../../../lib/contract/mod.ts";
import { SelectField, TextField } from "../../kit/Field.tsx";
import { poolChoices } from "./BasicFields.tsx";
import { changed, type CreateProps, t, typedNumber, undefinedIfEmpty, word } from "./props.ts";

/** Of which disk, and whether the fields are a plain form's as well. */
interface CopyProps extends CreateProps {
  readonly index: number;
  readonly disk: NewDisk;
  readonly named?: boolean;
}

/** Whether a VM gets the image itself or a copy of it, and what the copy is like. */
export function CopyFields({ model, options, bounds, index, disk, named = false }: CopyProps) {
  const at = `disks.${index}`;
  const change = (field: keyof NewDisk, value: NewDisk[keyof NewDisk]) =>
    model.changeDisk(index, changed(disk, field, value));
  // What belongs to a copy alone goes with it.
  const chooseCopy = (copyAs: NewDisk["copyAs"]) => {
    const { copyAs: _as, sizeGb: _size, pool: _pool, ...image } = disk;
    model.changeDisk(index, copyAs === undefined ? image : { ...disk, copyAs });
  };
  return (
    <>
      <SelectField
        name={named ? "imageCopy" : undefined}
        label={t("create.copy")}
        hint={t("create.copy_hint")}
        // Before an image is chosen, too: a form without script sends what stands here.
        value={disk.path === undefined ? "qcow2" : disk.copyAs ?? ""}
        choices={[
          ...(["qcow2", "raw"] as const).map((format) => ({
            value: format,
            label: t("create.copy_as", { format }),
          })),
          { value: "", label: t("create.copy_no") },
        ]}
        error={model.error(`${at}.copyAs`)}
        onChange={({ currentTarget: { value } }) => chooseCopy(word(value))}
      />
      {disk.copyAs !== undefined && (
        <>
          <TextField
            name={named ? "imageSizeGb" : undefined}
            label={t("create.copy_size")}
            hint={t("create.copy_size_hint")}
            type="number"
            min={bounds.diskSizeGb.minimum}
            max={bounds.diskSizeGb.maximum}
            suffix="GiB"
            value={disk.sizeGb ?? ""}
            error={model.error(`${at}.sizeGb`)}
            onInput={({ currentTarget: { value } }) => change("sizeGb", typedNumber(value))}
          />
          <SelectField
            name={named ? "imagePool" : undefined}
            label={t("create.pool")}
            value={disk.pool ?? options.pool ?? ""}
            choices={poolChoices(options)}
            error={model.error(`${at}.pool`)}
            onChange={({ currentTarget: { value } }) => change("pool", undefinedIfEmpty(value))}
          />
        </>
      )}
    </>
  );
}
