import type { VmDisk } from "../lib/contract/mod.ts";
import { formatBytes, share } from "../lib/format/quantity.ts";
import { oneLine } from "../lib/format/text.ts";
import { devices as texts } from "../lib/i18n/en/devices.ts";
import { type PlainKeyOf, textsOf } from "../lib/i18n/mod.ts";
import { ActLink } from "./ActLink.tsx";
import { DeviceMarks } from "./DeviceMarks.tsx";
import { LoadBar } from "./LoadBar.tsx";

const { t } = textsOf(texts);

/** What can be done to a disk or drive. */
export const DISK_VERBS = ["resize", "insert", "eject", "edit", "detach"] as const;
export type DiskVerb = typeof DISK_VERBS[number];

export const VERB_TEXTS: Readonly<Record<DiskVerb, PlainKeyOf<typeof texts>>> = {
  resize: "devices.resize",
  insert: "devices.insert",
  eject: "devices.eject",
  edit: "devices.edit",
  detach: "devices.detach",
};

/** The verbs that make sense for a disk or drive. */
export function verbsOf({ device, source, place }: VmDisk, persistent: boolean): DiskVerb[] {
  const edit: DiskVerb[] = persistent && place !== "live" ? ["edit"] : [];
  if (device === "disk") return ["resize", ...edit, "detach"];
  if (device === "cdrom" || device === "floppy") {
    return ["insert", ...(source === undefined ? [] : ["eject" as const]), ...edit, "detach"];
  }
  return ["detach"];
}

/** A disk as a sentence calls it. */
export function diskName({ device, target }: Pick<VmDisk, "device" | "target">): string {
  const vars = { target: oneLine(target, 20) };
  return device === "disk" || device === "lun"
    ? t("devices.disk_named", vars)
    : t("devices.drive_named", vars);
}

const KINDS: Readonly<Record<VmDisk["device"], PlainKeyOf<typeof texts>>> = {
  disk: "devices.kind_disk",
  cdrom: "devices.kind_cdrom",
  floppy: "devices.kind_floppy",
  lun: "devices.kind_lun",
};

/** How it is run, as far as somebody chose it. */
function settingsOf(disk: VmDisk): string[] {
  const { cache, io, discard, detectZeroes, serial } = disk;
  return [
    disk.readOnly && disk.device !== "cdrom" && t("devices.read_only"),
    disk.shareable && t("devices.shareable"),
    cache && t("devices.cache", { value: oneLine(cache, 20) }),
    io && t("devices.io", { value: oneLine(io, 20) }),
    discard && t("devices.discard", { value: oneLine(discard, 20) }),
    detectZeroes && t("devices.zeroes", { value: oneLine(detectZeroes, 20) }),
    serial && t("devices.serial", { value: oneLine(serial, 40) }),
  ].filter((each) => typeof each === "string" && each !== "") as string[];
}

function Size({ disk }: { disk: VmDisk }) {
  const { capacityBytes: size, allocationBytes: used } = disk;
  if (size === undefined) return <span class="none">–</span>;
  return (
    <>
      <span class="device-size">{formatBytes(size)}</span>
      {used !== undefined && disk.device === "disk" && (
        <span class="device-used">
          <LoadBar percent={share(used, size)} kind="memory" />
          <small>{t("devices.of", { used: formatBytes(used), size: formatBytes(size) })}</small>
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
        ? <span class="muted">{t("devices.empty")}</span>
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
  persistent: boolean;
  /** Whether anything can be done now. */
  enabled: boolean;
  /** Address of a form, where there is no script to open it here. */
  hrefOf: (verb: DiskVerb, disk: VmDisk) => string;
  onVerb: (verb: DiskVerb, disk: VmDisk) => void;
}

/** A machine's disks and drives, with what can be done to each. */
export function DiskList({ disks, persistent, enabled, hrefOf, onVerb }: DiskListProps) {
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={t("devices.disks")}>
      <table class="plain-table device-table">
        <thead>
          <tr>
            <th scope="col">{t("devices.device")}</th>
            <th scope="col">{t("devices.source")}</th>
            <th scope="col">{t("devices.size")}</th>
            <th scope="col">{t("devices.settings")}</th>
            <th scope="col" class="num">{t("devices.boot")}</th>
            <th scope="col">
              <span class="visually-hidden">{t("devices.actions")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {disks.map((disk) => (
            <tr key={`${disk.target} ${disk.place}`} data-disk={disk.target} data-place={disk.place}>
              <th scope="row">
                <span class="mono">{oneLine(disk.target, 20)}</span>
                <small>
                  {t(KINDS[disk.device])} · {oneLine(disk.bus, 20)}
                </small>
                <DeviceMarks device={disk} />
              </th>
              <td class="source">
                <Source disk={disk} />
              </td>
              <td>
                <Size disk={disk} />
              </td>
              <td class={settingsOf(disk).length === 0 ? "device-settings empty-cell" : "device-settings"}>
                {settingsOf(disk).map((setting) => <span key={setting}>{setting}</span>)}
                {settingsOf(disk).length === 0 && <span class="muted">{t("devices.default")}</span>}
              </td>
              <td class={disk.bootOrder === undefined ? "num empty-cell" : "num"}>{disk.bootOrder ?? "–"}</td>
              <td class="device-verbs">
                <span>
                  {verbsOf(disk, persistent).map((verb) => (
                    <ActLink
                      key={verb}
                      class={verb === "detach" ? "button ghost danger" : "button ghost"}
                      href={hrefOf(verb, disk)}
                      enabled={enabled}
                      aria-label={t("devices.verb_of", { verb: t(VERB_TEXTS[verb]), device: diskName(disk) })}
                      onAct={() => onVerb(verb, disk)}
                    >
                      {t(VERB_TEXTS[verb])}
                    </ActLink>
                  ))}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
