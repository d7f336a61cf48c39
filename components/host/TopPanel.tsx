import { IS_BROWSER } from "fresh/runtime";
import { signal } from "@preact/signals";
import { live } from "../../lib/client/live.ts";
import type { VM } from "../../lib/contract/mod.ts";
import { t } from "../../lib/i18n/mod.ts";
import { CpuLoad, MemoryLoad } from "../vm/list/LoadCells.tsx";
import { TruncatedText } from "../kit/TruncatedText.tsx";
import { Panel } from "../kit/Panel.tsx";
import { DataTable } from "../kit/DataTable.tsx";

/** A VM's load: live, once the store has the VM. */
function loadOf(vm: VM) {
  return IS_BROWSER && live.vms.peek(vm.id) !== undefined ? live.vms.stats(vm.id) : signal(vm.stats);
}

/**
 * The VMs that use most of the processor.
 *
 * @param running how many run: their loads may not be known yet
 */
export function TopPanel({ vms, running }: { vms: readonly VM[]; running: number }) {
  return (
    <Panel title={t("dashboard.top")}>
      <DataTable
        label={t("dashboard.top")}
        class="top-table"
        rows={vms}
        keyOf={({ id }) => id}
        empty={t(running === 0 ? "dashboard.top_none" : "dashboard.top_unknown")}
        columns={[
          {
            title: t("column.name"),
            cell: ({ id, name }) => (
              <a class="vm-link" href={`/vms/${encodeURIComponent(id)}`}>
                <TruncatedText text={name} longest={60} />
              </a>
            ),
          },
          { title: t("column.cpu"), cell: (vm) => <CpuLoad vm={vm} stats={loadOf(vm)} /> },
          { title: t("column.memory"), cell: (vm) => <MemoryLoad vm={vm} stats={loadOf(vm)} /> },
        ]}
      />
    </Panel>
  );
}
