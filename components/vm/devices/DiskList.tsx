import type { VmDisk } from "../../../lib/contract/mod.ts";
import { diskTexts } from "../../../lib/text/disk_texts.ts";
import { diskLimitTexts } from "../../../lib/text/device_limits.ts";
import { formatBytes, share } from "../../../lib/text/quantity.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { moveHindrance } from "../../../lib/vm/disk_move.ts";
import { devices } from "../../../lib/i18n/en/devices.ts";
import { disks } from "../../../lib/i18n/en/disks.ts";
import { type PlainKeyOf, textsOf } from "../../../lib/i18n/mod.ts";
import { DeviceMarks } from "./DeviceMarks.tsx";
import { TUNED } from "./disk_fields.const.ts";
import { fillsUp } from "../../../lib/vm/fill.ts";
import { LoadBar } from "../../kit/LoadBar.tsx";
import { DataTable, stacked } from "../../kit/DataTable.tsx";
import { RowVerbs } from "../../kit/RowVerbs.tsx";

const texts = { ...devices, ...disks }, { t } = textsOf(texts);

/** Actions for a disk or drive. */
export const DISK_VERBS = ["resize", "move", "insert", "eject", "edit", "detach"] as const;
export type DiskVerb = typeof DISK_VERBS[number];

export const VERB_TEXTS: Readonly<Record<DiskVerb, PlainKeyOf<typeof texts>>> = {
  resize: "devices.resize",
  move: "devices.move",
  insert: "devices.insert",
  eject: "devices.eject",
  edit: "devices.edit",
  detach: "devices.detach",
};

/** The verbs that make sense for a disk or drive, the most likely first. */
export function verbsOf({ device, source }: VmDisk): DiskVerb[] {
  if (device === "disk") return ["edit", "resize", "move", "detach"];
  if (device === "cdrom" || device === "floppy") {
    return ["insert", ...(source === undefined ? [] : ["eject" as const]), "edit", "move", "detach"];
  }
  return ["move", "detach"];
}

/** A disk as a sentence calls it. */
export function diskName({ device, target }: Pick<VmDisk, "device" | "target">): string {
  const vars = { target: oneLine(target, 20) };
  return device === "disk" || device === "lun"
    ? t("devices.disk_named", vars)
    : t("devices.drive_named", vars);
}

/** A verb with the disk it is about, as screen readers say it: with the words that are seen. */
function verbOf(verb: DiskVerb, disk: VmDisk): string {
  const device = diskName(disk);
  return verb === "move"
    ? t("devices.move_of", { device })
    : t("devices.verb_of", { verb: t(VERB_TEXTS[verb]), device });
}

/** Why a verb is nothing for a disk. Limits are edited at any time. */
function whyNot(verb: DiskVerb, disk: VmDisk, suspended: boolean): string | undefined {
  if (suspended && verb !== "edit") return t("devices.while_suspended");
  const hindrance = verb === "move" ? moveHindrance(disk) : undefined;
  return hindrance && t(hindrance);
}

const KINDS: Readonly<Record<VmDisk["device"], PlainKeyOf<typeof texts>>> = {
  disk: "devices.kind_disk",
  cdrom: "devices.kind_cdrom",
  floppy: "devices.kind_floppy",
  lun: "devices.kind_lun",
};

/** How it is run, as far as somebody chose it. */
function settingsOf(disk: VmDisk): string[] {
  const isShown = (field: typeof TUNED[number]) =>
    field !== "bootOrder" && disk[field] && (field !== "readOnly" || disk.device !== "cdrom");
  const told = TUNED.filter(isShown).map((field) => {
    const value = disk[field], short = diskTexts.short(field);
    return value === true ? short : t("devices.setting", { field: short, value: oneLine(String(value), 40) });
  });
  const base = disk.baseOf?.map(({ name }) => name).join(", ");
  return [
    ...told,
    ...(base === undefined ? [] : [t("devices.base_of", { names: oneLine(base) })]),
    ...diskLimitTexts(disk),
  ];
}

function Size({ disk }: { disk: VmDisk }) {
  const { capacityBytes: size, allocationBytes: used } = disk;
  if (size === undefined) return <span class="none">–</span>;
  return (
    <>
      <span class="device-size">{formatBytes(size)}</span>
      {used !== undefined && fillsUp(disk) && (
        <span class="device-used">
          {/* A file of internal snapshots is larger than its disk: no share of it, and no reason for red. */}
          {used <= size && <LoadBar percent={share(used, size)} kind="memory" />}
          <small>
            {used <= size
              ? t("devices.of", { used: formatBytes(used), size: formatBytes(size) })
              : t("devices.on_host", { used: formatBytes(used) })}
          </small>
        </span>
      )}
    </>
  );
}

function Source({ disk }: { disk: VmDisk }) {
  const { source, pool, trayOpen } = disk;
  const isHere = disk.type === "file" || disk.type === "block" || disk.type === "volume";
  return (
    <>
      {source === undefined
        ? <span class="text-muted">{t("devices.empty")}</span>
        : <bdi class="mono ellipsis" title={oneLine(source)}>{oneLine(source)}</bdi>}
      {source !== undefined && isHere && (
        <small>
          {pool === undefined ? t("devices.no_pool") : t("devices.pool", { pool: oneLine(pool, 60) })}
          {disk.format !== undefined && ` · ${oneLine(disk.format, 20)}`}
        </small>
      )}
      {trayOpen && <small>{t("devices.tray_open")}</small>}
    </>
  );
}

/** Props of {@link DiskList}. */
export interface DiskListProps {
  disks: readonly VmDisk[];
  /** Whether anything can be done now. */
  enabled: boolean;
  /** Whether the VM's memory is saved, which needs its disks. */
  suspended: boolean;
  /** Address of a form, where there is no script to open it here. */
  hrefOf: (verb: DiskVerb, disk: VmDisk) => string;
  onVerb: (verb: DiskVerb, disk: VmDisk) => void;
}

/** A VM's disks and drives, with what can be done to each. */
export function DiskList({ disks, enabled, suspended, hrefOf, onVerb }: DiskListProps) {
  return (
    <DataTable
      label={t("devices.disks")}
      rows={disks}
      keyOf={({ target, place }) => `${target} ${place}`}
      attributesOf={({ target, place }) => ({ "data-disk": target, "data-place": place })}
      columns={[
        {
          title: t("devices.device"),
          cell: (disk) => (
            <>
              <span class="mono">{oneLine(disk.target, 20)}</span>
              <small>
                {t(KINDS[disk.device])} · {oneLine(disk.bus, 20)}
              </small>
              <DeviceMarks device={disk} texts={diskTexts} />
            </>
          ),
        },
        { title: t("devices.source"), fit: "wide", cell: (disk) => <Source disk={disk} /> },
        { title: t("devices.size"), cell: (disk) => <Size disk={disk} /> },
        { title: t("devices.settings"), cell: (disk) => stacked(settingsOf(disk)) },
        { title: t("devices.boot"), kind: "number", cell: ({ bootOrder }) => bootOrder },
        {
          title: t("devices.actions"),
          kind: "actions",
          cell: (disk) => (
            <RowVerbs
              name={diskName(disk)}
              enabled={enabled}
              verbs={verbsOf(disk).map((verb) => ({
                text: t(VERB_TEXTS[verb]),
                label: verbOf(verb, disk),
                whyNot: whyNot(verb, disk, suspended),
                href: hrefOf(verb, disk),
                onAct: () => onVerb(verb, disk),
                danger: verb === "detach",
              }))}
            />
          ),
        },
      ]}
    />
  );
}
