import type { Signal } from "@preact/signals";
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { ActivityList } from "../components/host/ActivityList.tsx";
import { HostGraphs } from "../components/host/HostGraphs.tsx";
import { Flash } from "../components/kit/Flash.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import { HistoryGraph, type HistoryGraphProps } from "../components/metrics/HistoryGraph.tsx";
import { MarkSwitches } from "../components/metrics/MarkSwitches.tsx";
import { NoFigures } from "../components/metrics/NoFigures.tsx";
import { PartLinks } from "../components/metrics/PartLinks.tsx";
import { RangeLinks } from "../components/metrics/RangeLinks.tsx";
import { SummaryTable } from "../components/metrics/SummaryTable.tsx";
import { VmGraphs } from "../components/vm/VmGraphs.tsx";
import { api } from "../lib/client/api.ts";
import { currentTime } from "../lib/client/clock.ts";
import {
  chartsOf,
  type MonitoringData,
  monitoringHref,
  type MonitoringQuery,
  readMonitoring,
} from "../lib/client/monitoring.ts";
import { pageHost } from "../lib/client/page_host.ts";
import { useMonitoring } from "../lib/client/use_monitoring.ts";
import type { HostStats, VM } from "../lib/contract/mod.ts";
import type { ChartLines } from "../lib/metrics/chart_data.ts";
import type { Chart } from "../lib/metrics/charts.ts";
import { COMPARE } from "../lib/metrics/compare_href.ts";
import { liveSeed } from "../lib/metrics/live_seed.ts";
import { type Mark, MARK_KINDS, type MarkedCommands, type MarkKind } from "../lib/metrics/marks.ts";
import type { PageRange } from "../lib/metrics/ranges.ts";
import { chartHead } from "../lib/metrics/head.ts";
import { formatFigure } from "../lib/text/figure.ts";
import { formatMoment } from "../lib/text/time.ts";
import { isLive, STATES } from "../lib/vm/state.ts";
import { monitoring } from "../lib/i18n/en/monitoring.ts";
import { t, textsOf } from "../lib/i18n/mod.ts";

const texts = textsOf(monitoring);

/** Events listed below the graphs. */
const LISTED = 30;
/** Readings that may be missing before it is said. */
const MISSED = 5;

/** Props of {@link Monitoring}. */
export interface MonitoringProps {
  /** The VM that it is about; without one it is the host. */
  vm?: Signal<VM>;
  /** The host's threads and its load, for its live graphs. */
  host?: { readonly threads: number; readonly stats: HostStats };
  /** Address of the page, and of what is saved. */
  path: string;
  query: MonitoringQuery;
  data: MonitoringData;
  markedCommands: MarkedCommands;
  /** Name of what is marked → its word. */
  markWords: Readonly<Record<string, string>>;
  /** When the page was rendered. */
  now: number;
}

/** Summary of a graph that is about one part. */
function aboutOf(chart: Chart, { part }: ChartLines, { summary }: MonitoringData): string | undefined {
  const head = chartHead(chart, part, summary);
  if (head === undefined) return undefined;
  const max = formatFigure(head.unit, head.max);
  return head.p95 === undefined
    ? texts.t("monitoring.max_in_head", { max })
    : texts.t("monitoring.in_head", { p95: formatFigure(head.unit, head.p95), max });
}

/** When figures ended that should go on; undefined where all is well. */
function staleSince({ set }: MonitoringData, range: PageRange, now: number): number | undefined {
  if (!("window" in range) || set.last === null) return undefined;
  return now - set.last > Math.max(300_000, MISSED * set.step * 1000) ? set.last : undefined;
}

const counted = (marks: readonly Mark[]) =>
  Object.fromEntries(
    MARK_KINDS.map((kind) => [kind, marks.filter((each) => each.kind === kind).length]),
  ) as Record<MarkKind, number>;
/** Links of the page: the comparison of several VMs, and the figures as a file. */
function PageLinks(
  { vmId, path, query }: { vmId: string | undefined; path: string; query: MonitoringQuery },
) {
  return (
    <span class="actions">
      {vmId !== undefined && (
        <a class="button" href={monitoringHref(COMPARE, { range: query.range, parts: {} }, [["vm", vmId]])}>
          {texts.t("monitoring.compare")}
        </a>
      )}
      <a
        class="button"
        href={monitoringHref(`${path}/csv`, query)}
        title={texts.t("monitoring.csv_long")}
        download
      >
        {texts.t("monitoring.csv")}
      </a>
    </span>
  );
}

/** Props of {@link MonitoredGraph}. */
interface MonitoredGraphProps extends Pick<HistoryGraphProps, "onZoom" | "onBack"> {
  chart: Chart;
  lines: ChartLines;
  drawn: HistoryGraphProps["data"];
  data: MonitoringData;
  path: string;
  query: MonitoringQuery;
  /** Name of the graph's subject, for the names of its files. */
  name: string;
}

/** One graph, with what sums it up and the choice of its parts. */
function MonitoredGraph(
  { chart, lines, drawn, data, path, query, name, onZoom, onBack }: MonitoredGraphProps,
) {
  const about = aboutOf(chart, lines, data), { parts } = chart;
  return (
    <HistoryGraph
      title={texts.t(chart.title)}
      unit={chart.unit}
      lines={chart.series.map(({ label, token }) => ({ token, label: texts.t(label) }))}
      data={drawn}
      {...(chart.ceiling !== undefined && { ceiling: chart.ceiling })}
      {...(about !== undefined && { about })}
      id={chart.id}
      fileName={`${name}-${chart.id}`}
      onZoom={onZoom}
      onBack={onBack}
    >
      {parts && (
        <PartLinks
          path={path}
          query={query}
          of={parts.of}
          title={texts.t(chart.title)}
          labels={data.set.parts[parts.of] ?? []}
          together={parts.as === "busiest" ? "monitoring.busiest" : "monitoring.all"}
        />
      )}
    </HistoryGraph>
  );
}

/** The graphs of a VM or the host over a range of time, what happened meanwhile, and the figures. */
export default function Monitoring(
  { vm, host, path, query: first, data: rendered, markedCommands, markWords, now }: MonitoringProps,
) {
  const vmId = vm?.peek().id;
  const subject = vmId === undefined ? {} : { vmId };
  const { data: value, query: asked, zoom, back } = useMonitoring({
    first: rendered,
    query: first,
    read: (query, at) =>
      readMonitoring(
        api,
        vmId === undefined ? { hostId: pageHost() } : { vmId },
        query,
        markedCommands,
        at,
      ),
    vmId,
  });
  const kinds = useSignal<ReadonlySet<MarkKind>>(new Set(MARK_KINDS));
  const data = value.value, query = asked.value, { range } = query, { set, marks } = data;
  const charts = chartsOf(subject), byId = new Map(charts.map((chart) => [chart.id, chart]));
  const shown = useMemo(() => marks.filter(({ kind }) => kinds.value.has(kind)), [marks, kinds.value]);
  const plotted = useMemo(
    () =>
      shown.map(({ kind, entry }) => ({
        kind,
        at: entry.timestamp / 1000,
        text: [
          ...(vmId === undefined ? [entry.vmName] : []),
          kind === "alert" ? entry.message : markWords[entry.action] ?? entry.action,
        ].filter((part) => part !== undefined).join(": "),
      })),
    [shown],
  );
  const graphs = useMemo(
    () => set.charts.map((lines) => ({ lines, data: { grid: set, lines: lines.lines, marks: plotted } })),
    [set, plotted],
  );
  const isLiveRange = "window" in range && range.window === "live";
  const off = vm && !isLive(vm.value) ? t(STATES[vm.value.state].word) : undefined;
  const stale = off === undefined ? staleSince(data, range, currentTime(now)) : undefined;
  return (
    <div class="monitoring">
      <div class="tools">
        <RangeLinks path={path} query={query} />
        <MarkSwitches
          shown={kinds.value}
          newest={data.moreMarks ? marks.length : undefined}
          counts={counted(marks)}
          onToggle={(kind) => {
            const next = new Set(kinds.value);
            if (!next.delete(kind)) next.add(kind);
            kinds.value = next;
          }}
        />{" "}
        <PageLinks vmId={vmId} path={path} query={query} />
      </div>
      {stale !== undefined && (
        <Flash tone="warn" title={texts.t("monitoring.stale", { when: formatMoment(stale) })}>
          {texts.t("monitoring.unavailable_todo")}
        </Flash>
      )}
      {isLiveRange && vm && <section class="panel">{<VmGraphs vm={vm.value} seed={liveSeed(set)} />}
      </section>}
      {isLiveRange && host && (
        <section class="panel">
          <HostGraphs threads={host.threads} first={host.stats} seed={liveSeed(set)} />
        </section>
      )}
      {!isLiveRange && set.last === null && (
        <NoFigures
          href={monitoringHref(path, { range: { window: "24h" }, parts: {} })}
          range={range}
          interval={set.resolution === "raw" ? set.step : 60}
          off={off}
          ofHost={vmId === undefined}
        />
      )}
      {!isLiveRange && set.last !== null && (
        <>
          <p class="history-hint needs-script">{texts.t("monitoring.hint")}</p>
          <div class="histories">
            {graphs.map(({ lines, data: drawn }) => (
              <MonitoredGraph
                key={lines.id}
                chart={byId.get(lines.id)!}
                {...{ lines, drawn, data, path, query }}
                name={vm?.value.name ?? "host"}
                onZoom={zoom}
                onBack={back}
              />
            ))}
          </div>
        </>
      )}
      {data.summary.length > 0 && (
        <Panel title={texts.t("monitoring.table")}>
          <SummaryTable rows={data.summary} charts={charts} />
        </Panel>
      )}
      <Panel title={texts.t("monitoring.events")}>
        {shown.length === 0 ? <p class="text-muted pad">{texts.t("monitoring.no_events")}</p> : (
          <ActivityList
            entries={shown.slice(0, LISTED).map(({ entry }) => entry)}
            now={now}
            named={vmId === undefined}
          />
        )}
      </Panel>
    </div>
  );
}
