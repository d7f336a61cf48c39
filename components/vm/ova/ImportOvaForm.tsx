import { DISK_BUSES, DISK_FORMATS, FIRMWARES } from "../../../lib/contract/choices.ts";
import type { OvaPreview } from "../../../lib/contract/mod.ts";
import { ova as texts } from "../../../lib/i18n/en/ova.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import type { Failure } from "../../../lib/text/failure.ts";
import { formatBytes } from "../../../lib/text/quantity.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { LEFT_OUT, placeValue } from "../../../lib/vm/ova_form.ts";
import { DataTable } from "../../kit/DataTable.tsx";
import { CheckField, type FieldChoice, SelectField, TextField } from "../../kit/Field.tsx";
import { Flash } from "../../kit/Flash.tsx";
import { Panel } from "../../kit/Panel.tsx";
import { NAME_CODES } from "../ManageForm.tsx";

const { t } = textsOf(texts);

/** Props of {@link ImportOvaForm}. */
export interface ImportOvaFormProps {
  preview: OvaPreview;
  archive: { readonly pool: string; readonly volume: string };
  /** Pools that disks can go to. */
  pools: readonly FieldChoice[];
  networks: readonly string[];
  bridges: readonly string[];
  /** Values of a refused form. */
  typed: Readonly<Record<string, string>>;
  failure: Failure | null;
}

const FIRMWARE_WORDS = {
  bios: "ova.firmware_bios",
  uefi: "ova.firmware_uefi",
  "uefi-secure": "ova.firmware_secure",
} as const;
const firmwares = () => FIRMWARES.map((value) => ({ value, label: t(FIRMWARE_WORDS[value]) }));
const FORMATS = DISK_FORMATS.map((value) => ({ value, label: value }));
const buses = () => [
  { value: "", label: t("ova.disk_bus_same") },
  ...DISK_BUSES.map((value) => ({ value, label: value })),
];

/** The disks of the archive. */
function DisksPanel({ disks }: Pick<OvaPreview, "disks">) {
  return (
    <Panel title={t("ova.disks")}>
      <DataTable
        label={t("ova.disks")}
        rows={disks.map((disk, at) => ({ ...disk, at }))}
        keyOf={({ at }) => String(at)}
        empty={t("ova.no_disks")}
        columns={[
          {
            title: t("ova.disk"),
            cell: ({ file }) => file === null ? t("ova.disk_empty") : <bdi>{oneLine(file, 80)}</bdi>,
            fit: "wide",
          },
          {
            title: t("ova.disk_size"),
            cell: ({ capacityBytes }) => formatBytes(capacityBytes),
            kind: "number",
          },
          {
            title: t("ova.disk_file"),
            cell: ({ file, fileBytes }) => file === null ? null : formatBytes(fileBytes),
            kind: "number",
          },
          { title: t("ova.disk_kind"), cell: ({ file, format }) => file === null ? null : format },
          { title: t("ova.disk_at"), cell: ({ bus }) => bus },
        ]}
      />
    </Panel>
  );
}

/** Preview of an archive's VM, to be changed and agreed to. A plain form: the import is a task. */
export function ImportOvaForm(props: ImportOvaFormProps) {
  const { preview, archive, pools, networks, bridges, typed, failure } = props;
  const { disks, nics, warnings, checksums } = preview;
  const atName = failure !== null && NAME_CODES.has(failure.code) ? failure.why : undefined;
  const places: FieldChoice[] = [
    ...networks.map((network) => ({ value: placeValue({ network }), label: network })),
    ...bridges.map((bridge) => ({
      value: placeValue({ bridge }),
      label: t("ova.nic_bridge", { name: bridge }),
    })),
    { value: LEFT_OUT, label: t("ova.nic_none") },
  ];
  return (
    <form method="post" class="storage-stack">
      <Panel title={t("ova.import_title", { name: oneLine(preview.originalName, 60) })}>
        <div class="dialog-body">
          <p>{t("ova.import_what", { file: oneLine(archive.volume, 80) })} {checksums && t("ova.checked")}</p>
          <Flash tone="bad" failure={atName === undefined ? failure : null} />
        </div>
        {warnings.length > 0 && (
          <Flash tone="warn" title={t("ova.warnings")}>
            <ul>{warnings.map(({ message }, at) => <li key={at}>{message}</li>)}</ul>
          </Flash>
        )}
        <div class="form-grid">
          <TextField
            label={t("ova.name")}
            name="name"
            required
            maxLength={64}
            error={atName}
            defaultValue={typed.name ?? preview.name}
          />
          <TextField
            label={t("ova.cpus")}
            name="cpuCount"
            type="number"
            min={1}
            max={256}
            defaultValue={typed.cpuCount ?? String(preview.cpuCount)}
          />
          <TextField
            label={t("ova.memory")}
            name="memoryMb"
            type="number"
            min={128}
            suffix="MiB"
            defaultValue={typed.memoryMb ?? String(preview.memoryMb)}
          />
          <SelectField
            label={t("ova.firmware")}
            name="firmware"
            choices={firmwares()}
            value={typed.firmware ?? preview.firmware}
          />
          <SelectField
            label={t("ova.target_pool")}
            name="targetPool"
            choices={pools}
            value={typed.targetPool ?? archive.pool}
          />
          <SelectField
            label={t("ova.disk_format")}
            name="diskFormat"
            choices={FORMATS}
            value={typed.diskFormat ?? "qcow2"}
          />
          <SelectField
            label={t("ova.disk_bus")}
            name="diskBus"
            choices={buses()}
            value={typed.diskBus ?? ""}
          />
        </div>
      </Panel>
      <DisksPanel disks={disks} />
      <Panel title={t("ova.nics")}>
        {nics.length === 0 && <p class="dialog-body">{t("ova.no_nics")}</p>}
        <div class="form-grid">
          {nics.map(({ network, model, taken }, at) => (
            <SelectField
              key={at}
              label={network === ""
                ? t("ova.nic_unnamed", { n: at + 1 })
                : t("ova.nic", { n: at + 1, network: oneLine(network, 60) })}
              hint={t("ova.nic_hint", { model })}
              name={`nic${at}`}
              choices={places}
              value={typed[`nic${at}`] ?? (taken === null ? LEFT_OUT : placeValue({ network: taken }))}
            />
          ))}
          {nics.some(({ mac }) => mac !== undefined) && (
            <CheckField
              label={t("ova.keep_macs")}
              hint={t("ova.keep_macs_hint")}
              name="keepMacs"
              value="yes"
              wide
              defaultChecked={typed.keepMacs === "yes"}
            />
          )}
        </div>
        <div class="form-actions">
          <button type="submit" class="button primary">{t("ova.do")}</button>
          <a class="button" href="/vms/import-ova">{t("ova.cancel")}</a>
        </div>
      </Panel>
    </form>
  );
}
