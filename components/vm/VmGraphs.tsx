import { useSignal, useSignalEffect } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import type { GraphSeries } from "../../lib/client/graph.ts";
import { live } from "../../lib/client/live.ts";
import { type Columns, GRAPH_SECONDS, Samples } from "../../lib/client/samples.ts";
import type { VM, VmStats } from "../../lib/contract/mod.ts";
import { formatMemory, formatPercent, formatRate } from "../../lib/text/quantity.ts";
import { type Rates, ratesBetween } from "../../lib/text/rates.ts";
import type { LiveSeed } from "../../lib/metrics/live_seed.ts";
import { plural, t } from "../../lib/i18n/mod.ts";
import { Graph } from "../kit/Graph.tsx";

const CPU: readonly GraphSeries[] = [{ label: "graph.cpu", token: "cpu" }];
const MEMORY: readonly GraphSeries[] = [{ label: "graph.memory", token: "memory" }];
const DISK: readonly GraphSeries[] = [
  { label: "graph.read", token: "read" },
  { label: "graph.write", token: "write" },
];
const NETWORK: readonly GraphSeries[] = [
  { label: "graph.rx", token: "rx" },
  { label: "graph.tx", token: "tx" },
];

/** Values of a sample by graph. */
function valuesOf(stats: VmStats | undefined, rates: Rates | null): Values {
  return {
    cpu: [stats?.cpuUsagePercent ?? null],
    memory: [stats?.memoryUsedMb ?? null],
    disk: [rates?.diskRead ?? null, rates?.diskWrite ?? null],
    network: [rates?.networkRx ?? null, rates?.networkTx ?? null],
  };
}

type Values = LiveSeed["values"];
type History = Record<keyof Values, Samples>;

function historyOf(seed: readonly LiveSeed[]): History {
  const history: History = {
    cpu: new Samples(1, GRAPH_SECONDS),
    memory: new Samples(1, GRAPH_SECONDS),
    disk: new Samples(2, GRAPH_SECONDS),
    network: new Samples(2, GRAPH_SECONDS),
  };
  for (const { at, values } of seed) {
    for (const key of Object.keys(history) as (keyof Values)[]) history[key].add(at, values[key]);
  }
  return history;
}

/** Graphs of rates, which a first sample does not tell: they take two. */
const RATES: ReadonlySet<keyof Values> = new Set(["disk", "network"]);

interface Shown {
  readonly values: Values;
  readonly columns: Record<keyof Values, Columns>;
}

function columnsOf(history: History): Shown["columns"] {
  const { cpu, memory, disk, network } = history;
  return {
    cpu: cpu.columns(),
    memory: memory.columns(),
    disk: disk.columns(),
    network: network.columns(),
  };
}

/** Values of a first sample, with the rates that were known before. */
function firstOf(stats: VmStats | undefined, seed: readonly LiveSeed[]): Values {
  const values = valuesOf(stats, null), known = stats && seed.at(-1)?.values;
  return { ...values, disk: known?.disk ?? values.disk, network: known?.network ?? values.network };
}

/** A VM's load over the last minutes, collected while one looks. @param seed what is known from before */
export function VmGraphs({ vm, seed = [] }: { vm: VM; seed?: readonly LiveSeed[] }) {
  const history = useMemo(() => historyOf(seed), []);
  const before = useRef<VmStats | undefined>(undefined);
  const shown = useSignal<Shown>({ values: firstOf(vm.stats, seed), columns: columnsOf(history) });

  useSignalEffect(() => {
    const stats = live.vms.stats(vm.id).value ?? (live.vms.peek(vm.id) ? undefined : vm.stats);
    if (stats === before.current && stats !== undefined) return;
    const isFirst = stats !== undefined && before.current === undefined;
    const values = isFirst
      ? firstOf(stats, seed)
      : valuesOf(stats, stats ? ratesBetween(before.current, stats) : null);
    before.current = stats;
    // A VM that stopped leaves a gap, not a line to where it begins again.
    const at = stats?.timestamp ?? Date.now();
    for (const key of Object.keys(history) as (keyof Values)[]) {
      if (!isFirst || !RATES.has(key)) history[key].add(at, values[key]);
    }
    shown.value = { values, columns: columnsOf(history) };
  });

  const { values, columns } = shown.value;
  return (
    <div class="graphs">
      <p class="noscript-only text-muted">{t("graph.noscript")}</p>
      <Graph
        title={t("graph.cpu")}
        series={CPU}
        columns={columns.cpu}
        now={values.cpu}
        max={100}
        format={formatPercent}
        of={plural("graph.of_vcpu", vm.cpuCount)}
      />
      <Graph
        title={t("graph.memory")}
        series={MEMORY}
        columns={columns.memory}
        now={values.memory}
        max={vm.memoryMb}
        format={formatMemory}
        of={t("graph.of", { total: formatMemory(vm.memoryMb) })}
      />
      <Graph
        title={t("graph.disk")}
        series={DISK}
        columns={columns.disk}
        now={values.disk}
        format={formatRate}
      />
      <Graph
        title={t("graph.network")}
        series={NETWORK}
        columns={columns.network}
        now={values.network}
        format={formatRate}
      />
    </div>
  );
}
