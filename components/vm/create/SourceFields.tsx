import { IMAGE_WAYS } from "../../../lib/client/image_way.ts";
import { type InstallSource, type Missing, SOURCES } from "../../../lib/client/create_model.ts";
import { formatBytes } from "../../../lib/text/quantity.ts";
import type { create } from "../../../lib/i18n/en/create.ts";
import type { PlainKeyOf } from "../../../lib/i18n/mod.ts";
import { CheckField, SelectField, TextField } from "../../kit/Field.tsx";
import { Icon } from "../../kit/Icon.tsx";
import type { IconName } from "../../kit/icons.ts";
import { Panel } from "../../kit/Panel.tsx";
import { CopyFields } from "./CopyFields.tsx";
import { GetImage } from "./GetImage.tsx";
import { ImagePicker } from "./ImagePicker.tsx";
import { type CreateProps, missingText, t, undefinedIfEmpty } from "./props.ts";

type Text = PlainKeyOf<typeof create>;

const LABELS: Readonly<Record<InstallSource, { icon: IconName; label: Text; what: Text }>> = {
  cloud: { icon: "disc", label: "create.source_cloud", what: "create.source_cloud_what" },
  iso: { icon: "disk", label: "create.source_iso", what: "create.source_iso_what" },
  image: { icon: "vms", label: "create.source_image", what: "create.source_image_what" },
  network: { icon: "network", label: "create.source_network", what: "create.source_network_what" },
  none: { icon: "unplug", label: "create.source_none", what: "create.source_none_what" },
};
/** Stands for "another path" in the list of images. */
const OTHER = "?";

/** Error at the field for a choice that is missing or in progress. */
const missingAt = (props: CreateProps, what: Missing): string | undefined =>
  props.model.missing.value === what ? missingText(props) : undefined;

function IsoFields(props: CreateProps) {
  const { model, images } = props;
  const path = model.wish.value.isoPath;
  const isos = images.filter(({ kind }) => kind === "iso");
  const isListed = isos.some((iso) => iso.path === path);
  const other = path !== undefined && !isListed;
  const missing = missingAt(props, "iso");
  return (
    <>
      {isos.length > 0 && (
        <SelectField
          wide
          name="isoPath"
          label={t("create.iso")}
          value={other ? OTHER : path ?? ""}
          error={other ? undefined : missing ?? model.error("isoPath")}
          choices={[
            { value: "", label: t("create.iso_choose") },
            ...isos.map(({ path, name, pool, sizeBytes }) => ({
              value: path,
              label: `${name} (${pool}, ${formatBytes(sizeBytes)})`,
            })),
            { value: OTHER, label: t("create.iso_other") },
          ]}
          onChange={({ currentTarget: { value } }) =>
            model.chooseIso(value === OTHER ? "/" : undefinedIfEmpty(value))}
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
          error={(isos.length === 0 ? missing : undefined) ?? model.error("isoPath")}
          onInput={({ currentTarget: { value } }) => model.chooseIso(undefinedIfEmpty(value))}
        />
      )}
      {(other || isos.length === 0) && (
        <CheckField
          wide
          name="anyMedium"
          value="yes"
          label={t("create.any_medium")}
          checked={model.wish.value.anyMedium ?? false}
          onChange={({ currentTarget: { checked } }) => model.set({ anyMedium: checked || undefined })}
        />
      )}
      <CheckField
        wide
        name="withoutIso"
        value="yes"
        label={t("create.iso_without")}
        checked={model.withoutIso.value}
        onChange={({ currentTarget: { checked } }) => model.withoutIso.value = checked}
      />
    </>
  );
}

const isDisk = ({ usedBy }: CreateProps["images"][number]) => usedBy.length > 0;

function ImageFields(props: CreateProps) {
  const { model, images, vmDisks } = props;
  const [disk] = model.disks.value;
  // Disks of VMs are seldom what a new one begins with: they stand below the others, and name their VMs.
  const disks = images.filter(({ kind }) => kind === "disk")
    .sort((a, b) => Number(isDisk(a)) - Number(isDisk(b)));
  return (
    <>
      {disks.length === 0 && <p class="form-field wide form-hint">{t("create.image_none")}</p>}
      <ImagePicker
        images={disks}
        value={disk?.path ?? ""}
        error={missingAt(props, "image") ?? model.error("disks.0.path") ?? model.error("disks.0")}
        onChoose={(path) => model.chooseDiskImage(path)}
      />
      <div class="form-field wide needs-script">
        <CheckField
          label={t("create.image_vm_disks")}
          checked={vmDisks.shown}
          onChange={({ currentTarget: { checked } }) => vmDisks.show(checked)}
        />
      </div>
      <CopyFields {...props} index={0} disk={disk ?? {}} named />
    </>
  );
}

/** Fields for the install source of the VM. */
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
      <div class="form-grid source-fields" data-source="file">
        <GetImage {...props} ways={source === "iso" ? ["url", "upload"] : IMAGE_WAYS} />
      </div>
    </Panel>
  );
}
