import { useSignal, useSignalEffect } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { Fact } from "../components/Fact.tsx";
import { Graph } from "../components/Graph.tsx";
import { Panel } from "../components/Panel.tsx";
import { currentTime } from "../lib/client/clock.ts";
import type { GraphSeries } from "../lib/client/graph.ts";
import { live } from "../lib/client/live.ts";
import { type Columns, GRAPH_SECONDS, Samples } from "../lib/client/samples.ts";
import type { HostInfo, HostStats } from "../lib/contract/mod.ts";
import { formatMemory, formatPercent } from "../lib/format/quantity.ts";
import { oneLine } from "../lib/format/text.ts";
import { formatSpan } from "../lib/format/time.ts";
import { host as hostTexts } from "../lib/i18n/en/host.ts";
import { number, plural, t, textsOf } from "../lib/i18n/mod.ts";

const texts = textsOf(hostTexts);

const CPU: readonly GraphSeries[] = [{ label: t("graph.cpu"), token: "cpu" }];
const MEMORY: readonly GraphSeries[] = [{ label: t("graph.memory"), token: "memory" }];

/** Props of {@link HostPanel}. */
export interface HostPanelProps {
  host: HostInfo;
  stats: HostStats;
  /** When the page was rendered. */
  now: number;
}

/** The host: what it is, and how loaded it is. */
export default function HostPanel({ host, stats: first, now }: HostPanelProps) {
  const history = useMemo(
    () => ({ cpu: new Samples(1, GRAPH_SECONDS), memory: new Samples(1, GRAPH_SECONDS) }),
    [],
  );
  const columns = useSignal<{ cpu: Columns; memory: Columns }>({ cpu: [[], []], memory: [[], []] });
  const stats = live.hostStats.value ?? first;
  useSignalEffect(() => {
    const newest = live.hostStats.value ?? first;
    history.cpu.add(newest.timestamp, [newest.cpuUsagePercent]);
    history.memory.add(newest.timestamp, [newest.memoryUsedMb]);
    columns.value = { cpu: history.cpu.columns(), memory: history.memory.columns() };
  });

  const up = stats.uptimeSeconds === null
    ? null
    : formatSpan(stats.uptimeSeconds * 1000 + Math.max(0, currentTime(now) - stats.timestamp));
  return (
    <Panel title={texts.t("host.title")} class="host">
      <dl class="facts columns">
        <Fact label={texts.t("host.cpu")}>{oneLine(host.cpuModel, 80) || "–"}</Fact>
        <Fact label={texts.t("host.cores")}>
          {texts.t("host.cores_threads", { cores: number(host.cpuCount), threads: number(host.cpuThreads) })}
        </Fact>
        <Fact label={texts.t("host.memory")}>{formatMemory(host.memoryTotalMb)}</Fact>
        <Fact label={texts.t("host.hypervisor")}>{oneLine(host.hypervisor, 60)}</Fact>
        <Fact label={texts.t("host.versions")}>
          {texts.t("host.libvirt_qemu", {
            libvirt: oneLine(host.libvirtVersion, 20),
            qemu: oneLine(host.qemuVersion, 20) || "–",
          })}
        </Fact>
        <Fact label={texts.t("host.load")}>
          {stats.loadAverage === null ? "–" : stats.loadAverage.map((load) => load.toFixed(2)).join("  ")}
        </Fact>
        <Fact label={texts.t("host.uptime")}>{up ?? "–"}</Fact>
      </dl>
      <div class="graphs">
        <p class="noscript-only muted">{t("graph.noscript")}</p>
        <Graph
          title={t("graph.cpu")}
          series={CPU}
          columns={columns.value.cpu}
          now={[stats.cpuUsagePercent]}
          max={100}
          format={formatPercent}
          of={plural("graph.of_threads", host.cpuThreads)}
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
    </Panel>
  );
}
