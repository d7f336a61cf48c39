import type { Disk, NetworkInterface } from "../../lib/contract/mod.ts";
import { fillsUp } from "../../lib/vm/fill.ts";
import { formatBytes, formatPercent, share } from "../../lib/text/quantity.ts";
import { oneLine } from "../../lib/text/text.ts";
import { type PlainKey, t } from "../../lib/i18n/mod.ts";
import { DataTable, stacked } from "../kit/DataTable.tsx";
import { Icon } from "../kit/Icon.tsx";
import { LoadBar } from "../kit/LoadBar.tsx";

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

const bytes = (count: number | undefined) => count === undefined ? null : formatBytes(count);

/** Space of a disk on the host, and its share of the disk's size: a read-only medium does not fill up. */
function Fill({ disk }: { disk: Disk }) {
  const { allocationBytes: used, capacityBytes: total } = disk;
  if (used === undefined || total === undefined || used > total || !fillsUp(disk)) {
    return <>{bytes(used) ?? "–"}</>;
  }
  const percent = share(used, total);
  return (
    <span class="figure-bar disk-fill" title={t("disk.fill", { percent: formatPercent(percent) })}>
      <LoadBar percent={percent} kind="storage" />
      <span>{formatBytes(used)}</span>
    </span>
  );
}

function Link({ up, off }: { up: boolean; off: PlainKey | undefined }) {
  if (up && off !== undefined) return <span class="text-muted">{t(off)}</span>;
  return (
    <span class="state" data-tone={up ? "ok" : "off"}>
      <Icon name={up ? "check" : "unplug"} />
      <span class="state-word">{t(up ? "nic.up" : "nic.down")}</span>
    </span>
  );
}

/** A VM's disks and drives. */
export function DiskTable({ disks }: { disks: readonly Disk[] }) {
  return (
    <DataTable
      label={t("vm.disks")}
      rows={disks}
      keyOf={({ target }) => target}
      empty={t("disk.none")}
      columns={[
        {
          title: t("disk.target"),
          cell: ({ target, bus }) => (
            <>
              <span class="mono">{oneLine(target, 20)}</span> <small>{oneLine(bus, 20)}</small>
            </>
          ),
        },
        {
          title: t("disk.source"),
          fit: "wide",
          cell: (disk) => (
            <>
              {disk.source
                ? <bdi class="mono ellipsis" title={oneLine(disk.source)}>{oneLine(disk.source)}</bdi>
                : <span class="text-muted">{t("disk.empty")}</span>}
              {diskFlags(disk) && <small>{diskFlags(disk)}</small>}
            </>
          ),
        },
        { title: t("disk.format"), cell: ({ format }) => oneLine(format ?? "", 20) },
        {
          title: t("disk.allocation"),
          kind: "number",
          cell: (disk) => <Fill disk={disk} />,
        },
        { title: t("disk.capacity"), kind: "number", cell: ({ capacityBytes }) => bytes(capacityBytes) },
      ]}
    />
  );
}

/**
 * A VM's network interfaces.
 *
 * @param off why it does not run, where it does not: its links are neither up nor down then
 */
export function NicTable(
  { nics, off }: { nics: readonly NetworkInterface[]; off: PlainKey | undefined },
) {
  return (
    <DataTable
      label={t("vm.nics")}
      rows={nics}
      keyOf={({ mac }) => mac}
      empty={t("nic.none")}
      columns={[
        { title: t("nic.mac"), kind: "code", cell: ({ mac }) => oneLine(mac, 20) },
        {
          title: t("nic.network"),
          cell: ({ network, type }) => (
            <>
              <bdi>{network ? oneLine(network, 60) : "–"}</bdi> <small>{oneLine(type, 20)}</small>
            </>
          ),
        },
        {
          title: t("nic.model"),
          cell: ({ model, target }) => (
            <>
              {model ? oneLine(model, 20) : "–"}
              {target && <small class="mono">{oneLine(target, 20)}</small>}
            </>
          ),
        },
        { title: t("nic.addresses"), kind: "code", cell: ({ ipAddresses }) => stacked(ipAddresses) },
        { title: t("nic.link"), cell: ({ linkUp }) => <Link up={linkUp} off={off} /> },
      ]}
    />
  );
}
