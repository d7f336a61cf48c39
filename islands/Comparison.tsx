import { useMemo } from "preact/hooks";
import { DataTable } from "../components/kit/DataTable.tsx";
import { Flash } from "../components/kit/Flash.tsx";
import { Icon } from "../components/kit/Icon.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import { HistoryGraph } from "../components/metrics/HistoryGraph.tsx";
import { NoFigures } from "../components/metrics/NoFigures.tsx";
import { RangeLinks } from "../components/metrics/RangeLinks.tsx";
import { api } from "../lib/client/api.ts";
import { comparedBy, type ComparisonData, readComparison } from "../lib/client/comparison.ts";
import { monitoringHref, type MonitoringQuery } from "../lib/client/monitoring.ts";
import { useMonitoring } from "../lib/client/use_monitoring.ts";
import type { MetricUnit } from "../lib/contract/metric_series.ts";
import type { Figures } from "../lib/metrics/chart_data.ts";
import { COMPARED, type LineToken } from "../lib/metrics/charts.ts";
import { COMPARE, HOST_LINE } from "../lib/metrics/compare_href.ts";
import { PAGE_WINDOWS } from "../lib/metrics/ranges.ts";
import { formatFigure } from "../lib/text/figure.ts";
import { oneLine } from "../lib/text/text.ts";
import { monitoring } from "../lib/i18n/en/monitoring.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const texts = textsOf(monitoring);

/** Colours of the lines, in turn; the second time round they are dashed. */
const TOKENS: readonly LineToken[] = ["cpu", "write", "rx", "tx", "read", "memory"];
/** Ranges of the past: live figures are on the VMs' own pages. */
const WINDOWS = PAGE_WINDOWS.filter((window) => window !== "live");

/** Props of {@link Comparison}. */
export interface ComparisonProps {
  vmIds: readonly string[];
  metric: string;
  query: MonitoringQuery;
  data: ComparisonData;
}

/** Least, mean and greatest of a line. */
function summed(avg: Figures, min: Figures = avg, max: Figures = avg) {
  const known = avg.filter((value) => value !== null);
  const of = (figures: Figures, best: (a: number, b: number) => number) =>
    figures.reduce(
      (found, value) => value === null ? found : found === null ? value : best(found, value),
      null,
    );
  return {
    last: known.at(-1) ?? null,
    min: of(min, Math.min),
    avg: known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length,
    max: of(max, Math.max),
  };
}

/** Figures of a line in the table. */
const FIGURES = [
  ["last", "monitoring.last"],
  ["min", "monitoring.min"],
  ["avg", "monitoring.avg"],
  ["max", "monitoring.max"],
] as const;

const figureColumns = (unit: MetricUnit) =>
  FIGURES.map(([figure, title]) => ({
    title: texts.t(title),
    kind: "number" as const,
    cell: (row: ReturnType<typeof summed>) => formatFigure(unit, row[figure]),
  }));

/** A VM, or the host, with its line's look. */
function LineName(
  { id, name, line }: { id: string; name: string; line: { token: LineToken; dashed?: boolean } | undefined },
) {
  return (
    <span class="graph-figure">
      <span
        class="graph-key"
        data-series={line?.token}
        data-dashed={line?.dashed ? "" : undefined}
        aria-hidden="true"
      />
      <a href={id === HOST_LINE ? "/monitoring" : `/vms/${encodeURIComponent(id)}/monitoring`}>
        <bdi>{oneLine(name, 60)}</bdi>
      </a>
    </span>
  );
}

/** One figure of several VMs in one graph, and in a table. */
export default function Comparison({ vmIds, metric, query: first, data: rendered }: ComparisonProps) {
  const { data: value, query: asked, zoom, back } = useMonitoring({
    first: rendered,
    query: first,
    read: ({ range }, now) => readComparison(api, vmIds, metric, range, now),
    more: [["metric", metric], ...vmIds.map((id) => ["vm", id] as const)],
  });
  const chart = comparedBy(metric), data = value.value, query = asked.value;
  const address = (ids: readonly string[], of: string) =>
    [["metric", of], ...ids.map((id) => ["vm", id] as const)] as const;
  const lines = data.vms.map(({ name }, index) => ({
    label: oneLine(name, 60),
    token: TOKENS[index % TOKENS.length]!,
    ...(index >= TOKENS.length && { dashed: true }),
  }));
  const drawn = useMemo(
    () => data.set && { grid: data.set, lines: data.set.charts[0]!.lines, marks: [] },
    [data.set],
  );
  const rows = data.vms.map((vm, index) => {
    const line = data.set?.charts[0]?.lines[index];
    return { ...vm, ...summed(line?.avg ?? [], line?.min, line?.max) };
  });
  return (
    <div class="monitoring">
      <div class="tools">
        <RangeLinks path={COMPARE} query={query} more={address(vmIds, metric)} windows={WINDOWS} />
        <nav class="chips" aria-label={texts.t("monitoring.compare_metric")}>
          {COMPARED.map(({ id, title }) => (
            <a
              key={id}
              class="chip"
              href={monitoringHref(COMPARE, query, address(vmIds, id))}
              aria-current={id === chart.id ? "true" : undefined}
            >
              {texts.t(title)}
            </a>
          ))}
        </nav>
      </div>
      {data.missing > 0 && (
        <Flash
          tone="info"
          title={texts.plural("monitoring.compare_gone", data.missing)}
        />
      )}
      {drawn !== null && data.set?.last === null && (
        <NoFigures
          href={monitoringHref(COMPARE, { ...query, range: { window: "24h" } }, address(vmIds, metric))}
          range={query.range}
          interval={data.set.step}
        />
      )}
      {drawn !== null && data.set?.last !== null && (
        <HistoryGraph
          key={`${metric} ${data.vms.length}`}
          tall
          title={texts.t(chart.title)}
          unit={chart.unit}
          lines={lines}
          data={drawn}
          {...(chart.ceiling !== undefined && { ceiling: chart.ceiling })}
          id={chart.id}
          fileName={`compare-${chart.id}`}
          onZoom={zoom}
          onBack={back}
        />
      )}
      <Panel title={texts.t("monitoring.compare_vms")}>
        <DataTable
          label={texts.t("monitoring.compare_vms")}
          class="history-table"
          rows={rows}
          keyOf={({ id }) => id}
          columns={[
            {
              title: texts.t("monitoring.compare_which"),
              cell: ({ id, name }) => (
                <LineName
                  id={id}
                  name={name}
                  line={lines[data.vms.findIndex((vm) => vm.id === id)]}
                />
              ),
            },
            ...figureColumns(chart.unit),
            {
              title: texts.t("monitoring.compare"),
              kind: "actions",
              cell: ({ id, name }) => {
                const label = texts.t("monitoring.compare_remove", { name: oneLine(name, 60) });
                return (
                  <a
                    class="icon-button"
                    href={monitoringHref(
                      COMPARE,
                      query,
                      address(vmIds.filter((each) => each !== id), metric),
                    )}
                    aria-label={label}
                    title={label}
                  >
                    <Icon name="close" />
                  </a>
                );
              },
            },
          ]}
        />
      </Panel>
    </div>
  );
}
