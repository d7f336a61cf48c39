import type { Disk, NetworkInterface } from "../lib/contract/mod.ts";
import { formatBytes } from "../lib/format/quantity.ts";
import { oneLine } from "../lib/format/text.ts";
import { type PlainKey, t } from "../lib/i18n/mod.ts";
import { Icon } from "./Icon.tsx";

const KINDS: Readonly<Record<Disk["device"], PlainKey>> = {
  disk: "disk.disk",
  cdrom: "disk.cdrom",
  floppy: "disk.floppy",
  lun: "disk.lun",
};

function diskFlags(disk: Disk): string {
  const flags: PlainKey[] = [];
  if (disk.device !== "disk") flags.push(KINDS[disk.device]);
  if (disk.readOnly && disk.device !== "cdrom") flags.push("disk.read_only");
  if (disk.shareable) flags.push("disk.shareable");
  return flags.map((flag) => t(flag)).join(", ");
}

/** A machine's disks and drives. */
export function DiskTable({ disks }: { disks: readonly Disk[] }) {
  if (disks.length === 0) return <p class="muted pad">{t("disk.none")}</p>;
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={t("vm.disks")}>
      <table class="plain-table device-table">
        <thead>
          <tr>
            <th scope="col">{t("disk.target")}</th>
            <th scope="col">{t("disk.source")}</th>
            <th scope="col">{t("disk.format")}</th>
            <th scope="col" class="num">{t("disk.allocation")}</th>
            <th scope="col" class="num">{t("disk.capacity")}</th>
          </tr>
        </thead>
        <tbody>
          {disks.map((disk) => (
            <tr key={disk.target}>
              <th scope="row">
                <span class="mono">{oneLine(disk.target, 20)}</span> <small>{oneLine(disk.bus, 20)}</small>
              </th>
              <td class="source">
                {disk.source
                  ? <bdi class="mono ellipsis" title={oneLine(disk.source)}>{oneLine(disk.source)}</bdi>
                  : <span class="muted">{t("disk.empty")}</span>}
                {diskFlags(disk) && <small>{diskFlags(disk)}</small>}
              </td>
              <td>{disk.format ? oneLine(disk.format, 20) : <span class="none">–</span>}</td>
              <td class="num">
                {disk.allocationBytes === undefined ? "–" : formatBytes(disk.allocationBytes)}
              </td>
              <td class="num">{disk.capacityBytes === undefined ? "–" : formatBytes(disk.capacityBytes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A machine's network interfaces. */
export function NicTable({ nics }: { nics: readonly NetworkInterface[] }) {
  if (nics.length === 0) return <p class="muted pad">{t("nic.none")}</p>;
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={t("vm.nics")}>
      <table class="plain-table device-table">
        <thead>
          <tr>
            <th scope="col">{t("nic.mac")}</th>
            <th scope="col">{t("nic.network")}</th>
            <th scope="col">{t("nic.model")}</th>
            <th scope="col">{t("nic.addresses")}</th>
            <th scope="col">{t("nic.link")}</th>
          </tr>
        </thead>
        <tbody>
          {nics.map((nic) => (
            <tr key={nic.mac}>
              <th scope="row" class="mono">{oneLine(nic.mac, 20)}</th>
              <td>
                <bdi>{nic.network ? oneLine(nic.network, 60) : "–"}</bdi>{" "}
                <small>{oneLine(nic.type, 20)}</small>
              </td>
              <td>
                {nic.model ? oneLine(nic.model, 20) : "–"}
                {nic.target && <small class="mono">{oneLine(nic.target, 20)}</small>}
              </td>
              <td class="mono lines">
                {nic.ipAddresses.length === 0
                  ? "–"
                  : nic.ipAddresses.map((one) => <span key={one}>{one}</span>)}
              </td>
              <td>
                <span class="state" data-tone={nic.linkUp ? "ok" : "off"}>
                  <Icon name={nic.linkUp ? "check" : "unplug"} />
                  <span class="state-word">{t(nic.linkUp ? "nic.up" : "nic.down")}</span>
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
