import type { ComponentChildren } from "preact";
import { DISK_BUSES, DISK_FORMATS, FIRMWARES, NIC_MODELS } from "../../../lib/contract/choices.ts";
import type { ForeignPreview } from "../../../lib/contract/mod.ts";
import { foreign as texts } from "../../../lib/i18n/en/foreign.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import type { Failure } from "../../../lib/text/failure.ts";
import { formatBytes } from "../../../lib/text/quantity.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { DISK_LEFT_OUT, type ForeignAsked, isOnServer } from "../../../lib/vm/foreign_form.ts";
import { LEFT_OUT, placeValue } from "../../../lib/vm/ova_form.ts";
import { DataTable } from "../../kit/DataTable.tsx";
import { CheckField, type FieldChoice } from "../../kit/Field.tsx";
import { Flash } from "../../kit/Flash.tsx";
import { Panel } from "../../kit/Panel.tsx";

const { t } = textsOf(texts);

/** Props of {@link ImportForeignForm}. */
export interface ImportForeignFormProps {
  preview: ForeignPreview;
  asked: ForeignAsked;
  /** Pools that disks can go to. */
  pools: readonly FieldChoice[];
  networks: readonly string[];
  bridges: readonly string[];
  /** Values of a refused form. */
  typed: Readonly<Record<string, string>>;
  failure: Failure | null;
}

/** A choice in a table, which names it. */
function Choice(
  { label, name, choices, value }: {
    label: string;
    name: string;
    choices: readonly FieldChoice[];
    value: string;
  },
) {
  return (
    <select class="input" name={name} aria-label={label}>
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value} selected={choice.value === value}>
          {choice.label}
        </option>
      ))}
    </select>
  );
}

const FIRMWARE_WORDS = {
  bios: "foreign.firmware_bios",
  uefi: "foreign.firmware_uefi",
  "uefi-secure": "foreign.firmware_uefi-secure",
} as const;

/** Words that are their own labels. */
const same = (words: readonly string[]): FieldChoice[] => words.map((value) => ({ value, label: value }));
const tpms = () => [{ value: "yes", label: t("foreign.yes") }, { value: "no", label: t("foreign.no") }];

/** A row of the hardware: at the source, and here. */
interface HardwareRow {
  readonly label: string;
  readonly there: string | null;
  readonly here: ComponentChildren;
}

function hardwareRows({ preview, typed, pools }: ImportForeignFormProps): HardwareRow[] {
  const input = (name: string, label: string, value: string, attributes: object = {}) => (
    <input class="input" name={name} aria-label={label} defaultValue={typed[name] ?? value} {...attributes} />
  );
  const { originalName, name, cpuCount, memoryMb, firmware, tpm, chosen, guest } = preview;
  return [
    {
      label: t("foreign.name"),
      there: oneLine(originalName, 80),
      here: input("name", t("foreign.name"), name, { required: true, maxLength: 64 }),
    },
    ...guest === undefined ? [] : [{ label: t("foreign.guest"), there: oneLine(guest, 80), here: null }],
    {
      label: t("foreign.cpus"),
      there: String(cpuCount),
      here: input("cpuCount", t("foreign.cpus"), String(cpuCount), { type: "number", min: 1, max: 1024 }),
    },
    {
      label: t("foreign.memory"),
      there: String(memoryMb),
      here: input("memoryMb", t("foreign.memory"), String(memoryMb), { type: "number", min: 1 }),
    },
    {
      label: t("foreign.firmware"),
      there: t(FIRMWARE_WORDS[firmware]),
      here: (
        <Choice
          label={t("foreign.firmware")}
          name="firmware"
          choices={FIRMWARES.map((value) => ({ value, label: t(FIRMWARE_WORDS[value]) }))}
          value={typed.firmware ?? firmware}
        />
      ),
    },
    {
      label: t("foreign.tpm"),
      there: t(tpm ? "foreign.yes" : "foreign.no"),
      here: (
        <Choice
          label={t("foreign.tpm")}
          name="tpm"
          choices={tpms()}
          value={typed.tpm ?? (tpm ? "yes" : "no")}
        />
      ),
    },
    {
      label: t("foreign.pool"),
      there: null,
      here: (
        <Choice
          label={t("foreign.pool")}
          name="targetPool"
          choices={pools}
          value={typed.targetPool ?? chosen.targetPool ?? ""}
        />
      ),
    },
    {
      label: t("foreign.format"),
      there: null,
      here: (
        <Choice
          label={t("foreign.format")}
          name="diskFormat"
          choices={same(DISK_FORMATS)}
          value={typed.diskFormat ?? chosen.diskFormat ?? "qcow2"}
        />
      ),
    },
  ];
}

/** The disks of the source, and the bus of each here. */
function DisksPanel(
  { disks, typed }: Pick<ForeignPreview, "disks"> & Pick<ImportForeignFormProps, "typed">,
) {
  return (
    <Panel title={t("foreign.disks")}>
      <DataTable
        label={t("foreign.disks")}
        rows={disks.map((disk, at) => ({ ...disk, at }))}
        keyOf={({ at }) => String(at)}
        empty={t("foreign.no_disks")}
        columns={[
          { title: t("foreign.disk"), cell: ({ file }) => <bdi>{oneLine(file, 80)}</bdi>, fit: "wide" },
          {
            title: t("foreign.there"),
            cell: ({ was, format }) => <bdi>{oneLine([was, format].filter(Boolean).join(", "), 80)}</bdi>,
          },
          {
            title: t("foreign.size"),
            cell: ({ capacityBytes }) => formatBytes(capacityBytes),
            kind: "number",
          },
          {
            title: t("foreign.here"),
            cell: ({ at, file, bus }) => (
              <Choice
                label={t("foreign.disk_here", { file: oneLine(file, 60) })}
                name={`disk${at}`}
                choices={[...same(DISK_BUSES), { value: DISK_LEFT_OUT, label: t("foreign.leave_out") }]}
                value={typed[`disk${at}`] ?? bus}
              />
            ),
          },
        ]}
      />
    </Panel>
  );
}

/** The network interfaces of the source, and where each is plugged in here. */
function NicsTable(
  { nics, places, typed }: Pick<ForeignPreview, "nics"> & Pick<ImportForeignFormProps, "typed"> & {
    places: readonly FieldChoice[];
  },
) {
  return (
    <DataTable
      label={t("foreign.nics")}
      rows={nics.map((nic, at) => ({ ...nic, at }))}
      keyOf={({ at }) => String(at)}
      empty={t("foreign.no_nics")}
      columns={[
        {
          title: t("foreign.nic"),
          cell: ({ network, vlan }) => (
            <bdi>
              {oneLine(network, 60) || t("foreign.nic_none")}
              {vlan !== undefined && ` (${t("foreign.nic_vlan", { vlan })})`}
            </bdi>
          ),
        },
        {
          title: t("foreign.there"),
          cell: ({ was, model, mac }) => [oneLine(was || model, 40), mac].filter(Boolean).join(", "),
        },
        {
          title: t("foreign.here"),
          cell: ({ at, taken }) => (
            <Choice
              label={t("foreign.nic_place", { n: at + 1 })}
              name={`nic${at}`}
              choices={places}
              value={typed[`nic${at}`] ?? (taken === null ? LEFT_OUT : placeValue(taken))}
            />
          ),
        },
        {
          title: t("foreign.model"),
          cell: ({ at, model }) => (
            <Choice
              label={t("foreign.nic_model", { n: at + 1 })}
              name={`model${at}`}
              choices={same(NIC_MODELS)}
              value={typed[`model${at}`] ?? model}
            />
          ),
        },
      ]}
    />
  );
}

/**
 * Preview of an imported VM, its source's hardware next to ours, to be changed and agreed to. A plain form: the import
 * is a task.
 */
export function ImportForeignForm(props: ImportForeignFormProps) {
  const { preview, asked, networks, bridges, typed, failure } = props;
  const { disks, nics, warnings, checksums } = preview;
  const places: FieldChoice[] = [
    ...networks.map((network) => ({ value: placeValue({ network }), label: network })),
    ...bridges.map((bridge) => ({
      value: placeValue({ bridge }),
      label: t("foreign.bridge", { name: bridge }),
    })),
    { value: LEFT_OUT, label: t("foreign.leave_out") },
  ];
  const isUnclean = warnings.some(({ code }) => code === "NotClean");
  const vm = asked.vm ?? preview.vm;
  const source = {
    kind: asked.kind,
    origin: asked.origin,
    vm,
    generation: asked.generation?.toString(),
    osType: asked.osType,
    moreDisks: asked.moreDisks?.join("\n"),
    username: asked.username,
  };
  return (
    <form method="post" class="storage-stack">
      <input type="hidden" name="step" value="import" />
      {Object.entries(source).map(([name, value]) =>
        value === undefined ? null : <input key={name} type="hidden" name={name} value={value} />
      )}
      {asked.definition !== undefined && <textarea name="definition" hidden>{asked.definition}</textarea>}
      <Panel title={t("foreign.import_title", { name: oneLine(preview.originalName, 60) })}>
        <div class="dialog-body">
          <p>{t("foreign.import_what")} {checksums && t("foreign.checked")}</p>
          <Flash tone="bad" failure={failure} />
        </div>
        {warnings.length > 0 && (
          <Flash tone="warn" title={t("foreign.warnings")}>
            <ul>{warnings.map(({ message }, at) => <li key={at}>{message}</li>)}</ul>
          </Flash>
        )}
        <DataTable
          label={t("foreign.hardware")}
          rows={hardwareRows(props)}
          keyOf={({ label }) => label}
          columns={[
            { title: t("foreign.setting"), cell: ({ label }) => label },
            { title: t("foreign.there"), cell: ({ there }) => there && <bdi>{there}</bdi> },
            { title: t("foreign.here"), cell: ({ here }) => here },
          ]}
        />
      </Panel>
      <DisksPanel disks={disks} typed={typed} />
      <Panel title={t("foreign.nics")}>
        <NicsTable nics={nics} places={places} typed={typed} />
        <div class="form-grid">
          {nics.some(({ mac }) => mac !== undefined) && (
            <CheckField
              label={t("foreign.keep_macs")}
              hint={t("foreign.keep_macs_hint")}
              name="keepMacs"
              value="yes"
              wide
              defaultChecked={failure === null || typed.keepMacs === "yes"}
            />
          )}
          {asked.kind !== "libvirt" && asked.kind !== "proxmox-ssh" && (
            <CheckField
              label={t(isOnServer(asked) ? "foreign.verify_server" : "foreign.verify")}
              name="verify"
              value="yes"
              wide
              defaultChecked={typed.verify === "yes"}
            />
          )}
          {isUnclean && (
            <CheckField
              label={t("foreign.allow_unclean")}
              hint={t("foreign.allow_unclean_hint")}
              name="allowUnclean"
              value="yes"
              wide
              defaultChecked={typed.allowUnclean === "yes"}
            />
          )}
        </div>
        <div class="form-actions">
          <button type="submit" class="button primary">{t("foreign.do")}</button>
          <a class="button" href="/vms/import-from">{t("foreign.cancel")}</a>
        </div>
      </Panel>
    </form>
  );
}
