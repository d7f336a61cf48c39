import { IS_BROWSER } from "fresh/runtime";
import { signal } from "@preact/signals";
import { live } from "../lib/client/live.ts";
import type { VM } from "../lib/contract/mod.ts";
import { t } from "../lib/i18n/mod.ts";
import { CpuLoad, MemoryLoad } from "./LoadCells.tsx";
import { Name } from "./Name.tsx";
import { Panel } from "./Panel.tsx";

/** A machine's load: live, once the store has the machine. */
function loadOf(vm: VM) {
  return IS_BROWSER && live.vms.peek(vm.id) !== undefined ? live.vms.stats(vm.id) : signal(vm.stats);
}

/** The machines that use most of the processor. */
export function TopPanel({ vms }: { vms: readonly VM[] }) {
  return (
    <Panel title={t("dashboard.top")}>
      {vms.length === 0
        ? <p class="muted pad">{t("dashboard.top_none")}</p>
        : (
          <table class="plain-table top-table">
            <thead>
              <tr>
                <th scope="col">{t("column.name")}</th>
                <th scope="col">{t("column.cpu")}</th>
                <th scope="col">{t("column.memory")}</th>
              </tr>
            </thead>
            <tbody>
              {vms.map((vm) => (
                <tr key={vm.id}>
                  <th scope="row">
                    <a class="vm-link" href={`/vms/${encodeURIComponent(vm.id)}`}>
                      <Name text={vm.name} longest={60} />
                    </a>
                  </th>
                  <td>
                    <CpuLoad vm={vm} stats={loadOf(vm)} />
                  </td>
                  <td>
                    <MemoryLoad vm={vm} stats={loadOf(vm)} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
    </Panel>
  );
}
