import type { Maintenance } from "../../lib/contract/mod.ts";
import { maintenance as texts } from "../../lib/i18n/en/maintenance.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatMoment } from "../../lib/text/time.ts";
import { DataTable } from "../kit/DataTable.tsx";
import { Flash } from "../kit/Flash.tsx";
import { Panel } from "../kit/Panel.tsx";

const { t } = textsOf(texts);

type DrainedVm = Maintenance["vms"][number];

/** Titles by the state of the maintenance. */
const TITLES = {
  off: "maintenance.was",
  on: "maintenance.word",
  draining: "maintenance.draining",
  returning: "maintenance.returning",
} as const;

/** Action for a VM, as a word. */
function actionText(
  { action, toHost }: Pick<DrainedVm, "action" | "toHost">,
  labelOf: (id: string) => string,
): string {
  if (action !== "move" || toHost === undefined) return t(`maintenance.action.${action}`);
  return t("maintenance.move_to", { host: labelOf(toHost) });
}

/** Props of {@link MaintenanceTable}. */
export interface MaintenanceTableProps {
  maintenance: Maintenance;
  /** Id of a host → what people call it. */
  labels: Readonly<Record<string, string>>;
}

/** Since when a host is in maintenance, and what becomes of its VMs. */
export function MaintenanceTable({ maintenance, labels }: MaintenanceTableProps) {
  const { state, since, note, by, moving, queued, movesAtOnce, stopped, vms } = maintenance;
  const labelOf = (id: string) => oneLine(labels[id] ?? id, 60);
  if (state === "off" && vms.length === 0) return null;
  return (
    <Panel title={t(TITLES[state])}>
      {state !== "off" && since !== null && (
        <p class="pad">
          {t("maintenance.on", { time: formatMoment(since), by: oneLine(by, 60) })}
          {note !== "" && (
            <>
              : <bdi>{oneLine(note, 200)}</bdi>
            </>
          )}
        </p>
      )}
      {moving + queued > 0 && (
        <p class="pad text-muted">{t("maintenance.moving", { moving, queued, limit: movesAtOnce })}</p>
      )}
      {stopped !== undefined && (
        <Flash tone="warn">{t("maintenance.stopped", { reason: oneLine(stopped, 300) })}</Flash>
      )}
      {vms.length > 0 && (
        <DataTable
          label={t(TITLES[state])}
          rows={vms}
          keyOf={({ vmId }) => vmId}
          attributesOf={(vm) => ({ "data-drained": vm.name, "data-state": vm.state })}
          columns={[
            {
              title: t("maintenance.vm"),
              cell: ({ vmId, name }) => (
                <a href={`/vms/${encodeURIComponent(vmId)}`}>
                  <bdi>{oneLine(name, 60)}</bdi>
                </a>
              ),
            },
            { title: t("maintenance.action"), cell: (vm) => actionText(vm, labelOf) },
            { title: t("maintenance.state"), cell: (vm) => t(`maintenance.state.${vm.state}`) },
            {
              title: t("maintenance.notes"),
              fit: "wrap",
              cell: ({ message }) => message === undefined ? null : oneLine(message, 400),
            },
          ]}
        />
      )}
    </Panel>
  );
}
