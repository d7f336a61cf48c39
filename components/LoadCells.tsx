import type { ReadonlySignal } from "@preact/signals";
import type { VM, VmStats } from "../lib/contract/mod.ts";
import { formatMemory, formatPercent, share } from "../lib/format/quantity.ts";
import { t } from "../lib/i18n/mod.ts";
import { LoadBar } from "./LoadBar.tsx";

/** Props of the load figures: the signal is read here, so that a tick renders these and nothing around them. */
export interface LoadProps {
  vm: VM;
  stats: ReadonlySignal<VmStats | undefined>;
}

/** Nothing to show: the machine is off, or nothing is known yet. Never a zero. */
function Unknown({ vm }: { vm: VM }) {
  const off = vm.state !== "running";
  return <span class="none" title={off ? t("load.off") : t("load.unknown")}>{off ? "–" : "…"}</span>;
}

/** CPU load: bar and figure. */
export function CpuLoad({ vm, stats }: LoadProps) {
  const now = stats.value;
  if (now === undefined) return <Unknown vm={vm} />;
  return (
    <span class="figure-bar">
      <LoadBar percent={share(now.cpuUsagePercent, 100)} kind="cpu" />
      <span>{formatPercent(now.cpuUsagePercent)}</span>
    </span>
  );
}

/** Memory in use, of what the machine has: bar and figure. */
export function MemoryLoad({ vm, stats }: LoadProps) {
  const now = stats.value;
  if (now === undefined) return <Unknown vm={vm} />;
  const total = now.memoryAvailableMb || vm.memoryMb;
  return (
    <span
      class="figure-bar"
      title={t("load.of", { used: formatMemory(now.memoryUsedMb), total: formatMemory(total) })}
    >
      <LoadBar percent={share(now.memoryUsedMb, total)} kind="memory" />
      <span>{formatMemory(now.memoryUsedMb)}</span>
    </span>
  );
}
