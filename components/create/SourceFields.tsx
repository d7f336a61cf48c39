import { type Source, SOURCES } from "../../lib/client/create_model.ts";
import { formatBytes } from "../../lib/format/quantity.ts";
import type { create } from "../../lib/i18n/en/create.ts";
import type { PlainKeyOf } from "../../lib/i18n/mod.ts";
import { SelectField, TextField } from "../Field.tsx";
import { Icon } from "../Icon.tsx";
import type { IconName } from "../icons.ts";
import { Panel } from "../Panel.tsx";
import { CopyFields } from "./CopyFields.tsx";
import { type CreateProps, given, t } from "./props.ts";

type Text = PlainKeyOf<typeof create>;

const LABELS: Readonly<Record<Source, { icon: IconName; label: Text; what: Text }>> = {
  iso: { icon: "disk", label: "create.source_iso", what: "create.source_iso_what" },
  image: { icon: "machines", label: "create.source_image", what: "create.source_image_what" },
  network: { icon: "network", label: "create.source_network", what: "create.source_network_what" },
  none: { icon: "unplug", label: "create.source_none", what: "create.source_none_what" },
};
/** Stands for "another path" in the list of images. */
const OTHER = "?";

function IsoFields({ model, options: { isos } }: CreateProps) {
  const path = model.wish.value.isoPath;
  const isListed = isos.some((iso) => iso.path === path);
  const other = path !== undefined && !isListed;
  return (
    <>
      {isos.length > 0 && (
        <SelectField
          wide
          name="isoPath"
          label={t("create.iso")}
          value={other ? OTHER : path ?? ""}
          error={other ? undefined : model.error("isoPath")}
          choices={[
            { value: "", label: t("create.iso_choose") },
            ...isos.map(({ path, name, pool, sizeBytes }) => ({
              value: path,
              label: `${name} (${pool}, ${formatBytes(sizeBytes)})`,
            })),
            { value: OTHER, label: t("create.iso_other") },
          ]}
          onChange={({ currentTarget: { value } }) => model.chooseIso(value === OTHER ? "/" : given(value))}
        />
      )}
      {(other || isos.length === 0) && (
        <TextField
          wide
          name="isoOther"
          label={t("create.iso_path")}
          hint={isos.length === 0 ? t("create.iso_none") : undefined}
          placeholder="/var/lib/libvirt/images/debian-12.iso"
          value={path ?? ""}
          error={model.error("isoPath")}
          onInput={({ currentTarget: { value } }) => model.chooseIso(given(value))}
        />
      )}
    </>
  );
}

function ImageFields({ model, options, bounds }: CreateProps) {
  const [disk] = model.disks.value;
  return (
    <>
      <TextField
        wide
        name="imagePath"
        label={t("create.image")}
        hint={t("create.image_hint")}
        placeholder="/var/lib/libvirt/images/debian-12-generic.qcow2"
        value={disk?.path ?? ""}
        error={model.error("disks.0.path") ?? model.error("disks.0")}
        onInput={({ currentTarget: { value } }) => model.changeDisk(0, { ...disk, path: value })}
      />
      <CopyFields model={model} options={options} bounds={bounds} index={0} disk={disk ?? {}} named />
    </>
  );
}

/** What the machine is first started from. */
export function SourceFields(props: CreateProps) {
  const { model } = props;
  const source = model.source.value;
  return (
    <Panel title={t("create.source")}>
      <div class="choice-cards" role="radiogroup" aria-label={t("create.source")}>
        {SOURCES.map((each) => (
          <label key={each} class="choice-card">
            <input
              type="radio"
              name="source"
              value={each}
              checked={each === source}
              onChange={() => model.chooseSource(each)}
            />
            <Icon name={LABELS[each].icon} />
            <span>
              <strong>{t(LABELS[each].label)}</strong>
              <small>{t(LABELS[each].what)}</small>
            </span>
          </label>
        ))}
      </div>
      {/* Both are there, and the stylesheet shows the chosen one's: so it works without script, too. */}
      <div class="form-grid source-fields" data-source="iso">
        <IsoFields {...props} />
      </div>
      <div class="form-grid source-fields" data-source="image">
        <ImageFields {...props} />
      </div>
    </Panel>
  );
}
