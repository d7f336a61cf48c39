import type { Signal } from "@preact/signals";
import { Panel } from "../components/kit/Panel.tsx";
import { DiskTable, NicTable } from "../components/vm/VmDevices.tsx";
import { Thumbnail } from "../components/vm/Thumbnail.tsx";
import { VmFacts } from "../components/vm/VmFacts.tsx";
import { VmGraphs } from "../components/vm/VmGraphs.tsx";
import { VmSettings } from "../components/vm/VmSettings.tsx";
import { live } from "../lib/client/live.ts";
import type { VM } from "../lib/contract/mod.ts";
import type { LiveSeed } from "../lib/metrics/live_seed.ts";
import { offWord } from "../lib/vm/state.ts";
import { t } from "../lib/i18n/mod.ts";

/** A VM at a glance: its load, what it is, its disks and its network. */
export default function VmOverview({ vm: signal, seed, connected }: {
  vm: Signal<VM>;
  /** Stored samples of its last minutes. */
  seed: readonly LiveSeed[];
  connected: boolean;
}) {
  const vm = signal.value;
  const enabled = live.controls(connected);
  return (
    <div class="overview">
      <div class="column">
        <Panel title={t("vm.load")}>
          <VmGraphs vm={vm} seed={seed} />
        </Panel>
        <Panel title={t("vm.disks")}>
          <DiskTable disks={vm.disks} />
        </Panel>
        <Panel title={t("vm.nics")}>
          <NicTable nics={vm.networkInterfaces} off={offWord(vm)} />
        </Panel>
      </div>
      <div class="column">
        <Panel
          title={t("screen.title")}
          aside={
            <span class="screen-links">
              {vm.graphics.length > 0 && (
                <a href={`/vms/${encodeURIComponent(vm.id)}/console`}>{t("vm.tab_console")}</a>
              )}
              <a href={`/vms/${encodeURIComponent(vm.id)}/serial`}>{t("vm.tab_serial")}</a>
            </span>
          }
        >
          <div class="screen-panel">
            <Thumbnail vm={vm} />
          </div>
        </Panel>
        <Panel title={t("vm.facts")}>
          <VmFacts vm={vm} />
        </Panel>
        <Panel title={t("vm.organise")}>
          <VmSettings vm={vm} enabled={enabled} />
        </Panel>
      </div>
    </div>
  );
}
