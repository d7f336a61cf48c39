import { useSignal, useSignalEffect } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { GraphSeries } from "../../lib/client/graph.ts";
import { live } from "../../lib/client/live.ts";
import { type Columns, GRAPH_SECONDS, Samples } from "../../lib/client/samples.ts";
import type { HostStats } from "../../lib/contract/mod.ts";
import type { LiveSeed } from "../../lib/metrics/live_seed.ts";
import { formatMemory, formatPercent } from "../../lib/text/quantity.ts";
import { plural, t } from "../../lib/i18n/mod.ts";
import { Graph } from "../kit/Graph.tsx";

const CPU: readonly GraphSeries[] = [{ label: "graph.cpu", token: "cpu" }];
const MEMORY: readonly GraphSeries[] = [{ label: "graph.memory", token: "memory" }];

/** Props of {@link HostGraphs}. */
export interface HostGraphsProps {
  threads: number;
  /** Figures that the page was rendered with. */
  first: HostStats;
  /** Stored samples of the last minutes. */
  seed?: readonly LiveSeed[];
}

function historyOf(seed: readonly LiveSeed[]) {
  const cpu = new Samples(1, GRAPH_SECONDS), memory = new Samples(1, GRAPH_SECONDS);
  for (const { at, values } of seed) {
    cpu.add(at, values.cpu);
    memory.add(at, values.memory);
  }
  return { cpu, memory };
}

/** The host's load over the last minutes, collected while one looks. */
export function HostGraphs({ threads, first, seed = [] }: HostGraphsProps) {
  const history = useMemo(() => historyOf(seed), []);
  const columns = useSignal<{ cpu: Columns; memory: Columns }>({ cpu: [[], []], memory: [[], []] });
  const stats = live.hostStats.value ?? first;
  useSignalEffect(() => {
    const newest = live.hostStats.value ?? first;
    history.cpu.add(newest.timestamp, [newest.cpuUsagePercent]);
    history.memory.add(newest.timestamp, [newest.memoryUsedMb]);
    columns.value = { cpu: history.cpu.columns(), memory: history.memory.columns() };
  });
  return (
    <div class="graphs">
      <p class="noscript-only text-muted">{t("graph.noscript")}</p>
      <Graph
        title={t("graph.cpu")}
        series={CPU}
        columns={columns.value.cpu}
        now={[stats.cpuUsagePercent]}
        max={100}
        format={formatPercent}
        of={plural("graph.of_threads", threads)}
      />
      <Graph
        title={t("graph.memory")}
        series={MEMORY}
        columns={columns.value.memory}
        now={[stats.memoryUsedMb]}
        max={stats.memoryTotalMb}
        format={formatMemory}
        of={t("graph.of", { total: formatMemory(stats.memoryTotalMb) })}
      />
    </div>
  );
}
