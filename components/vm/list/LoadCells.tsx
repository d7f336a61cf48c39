import type { ReadonlySignal } from "@preact/signals";
import type { VM, VmStats } from "../../../lib/contract/mod.ts";
import { formatClock } from "../../../lib/text/time.ts";
import { hangs } from "../../../lib/i18n/en/hangs.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { formatMemory, formatPercent, share } from "../../../lib/text/quantity.ts";
import { isLive, STATES } from "../../../lib/vm/state.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { LoadBar } from "../../kit/LoadBar.tsx";
import { Sparkline } from "../../kit/Sparkline.tsx";

/** Props of the load figures: the signal is read here, so that a tick renders these and nothing around them. */
export interface LoadProps {
  vm: VM;
  stats: ReadonlySignal<VmStats | undefined>;
}

/** Nothing to show: the VM is off, or nothing is known yet. Never a zero. */
function Unknown({ vm }: { vm: VM }) {
  const off = !isLive(vm);
  return <span class="none" title={t(off ? STATES[vm.state].word : "load.unknown")}>{off ? "–" : "…"}</span>;
}

/** How figures of a VM that does not respond are marked: with the time they are from. */
function ageOf({ responsive }: VM, stats: VmStats | undefined): { title?: string; "data-old"?: "" } {
  if (responsive || stats === undefined) return {};
  const title = textsOf(hangs).t("hangs.figures_short", { time: formatClock(stats.timestamp) });
  return { title, "data-old": "" };
}

/** CPU load: its course where that is known, else a bar, and the figure. */
export function CpuLoad({ vm, stats, recent }: LoadProps & { recent?: readonly number[] }) {
  const percent = stats.value?.cpuUsagePercent ?? null;
  if (percent === null) return <Unknown vm={vm} />;
  return (
    <span class="figure-bar" {...ageOf(vm, stats.value)}>
      {recent === undefined
        ? <LoadBar percent={share(percent, 100)} kind="cpu" />
        : <Sparkline percents={recent.length === 0 ? [percent] : recent} kind="cpu" />}
      <span>{formatPercent(percent)}</span>
    </span>
  );
}

/** Memory in use, of what the VM has: bar and figure. */
export function MemoryLoad({ vm, stats }: LoadProps) {
  const now = stats.value;
  if (now === undefined) return <Unknown vm={vm} />;
  const total = now.memoryAvailableMb || vm.memoryMb;
  return (
    <span
      class="figure-bar"
      title={t("load.of", { used: formatMemory(now.memoryUsedMb), total: formatMemory(total) })}
      {...ageOf(vm, now)}
    >
      <LoadBar percent={share(now.memoryUsedMb, total)} kind="memory" />
      <span>{formatMemory(now.memoryUsedMb)}</span>
    </span>
  );
}

/** Values of the columns that a phone has no room for, in a line: host, address, CPU, memory. */
export function RowFacts({ stats, host, address }: Pick<LoadProps, "stats"> & {
  host: string | undefined;
  address: string | undefined;
}) {
  const now = stats.value, percent = now?.cpuUsagePercent ?? null;
  const facts = [
    ...(host === undefined ? [] : [oneLine(host, 24)]),
    ...(address === undefined ? [] : [address]),
    ...(percent === null ? [] : [t("load.cpu_short", { percent: formatPercent(percent) })]),
    ...(now === undefined ? [] : [formatMemory(now.memoryUsedMb)]),
  ];
  return <small class="row-facts">{facts.join(" · ") || "…"}</small>;
}
