import type { MetricSummary } from "../../lib/contract/metrics.ts";
import type { Chart } from "../../lib/metrics/charts.ts";
import { formatFigure } from "../../lib/text/figure.ts";
import { oneLine } from "../../lib/text/text.ts";
import { monitoring } from "../../lib/i18n/en/monitoring.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { type Column, DataTable } from "../kit/DataTable.tsx";

const texts = textsOf(monitoring);

type Row = MetricSummary["series"][number];

/** Figures of a row, from left to right. */
const FIGURES = [
  ["last", "monitoring.last"],
  ["min", "monitoring.min"],
  ["avg", "monitoring.avg"],
  ["p95", "monitoring.p95"],
  ["max", "monitoring.max"],
] as const;

/** Name of a series: its graph, its line, its part. */
function nameOf({ name, label }: Row, charts: readonly Chart[]): string {
  const chart = charts.find(({ series }) => series.some((each) => each.name === name));
  const line = chart?.series.find((each) => each.name === name);
  return [chart && texts.t(chart.title), line && texts.t(line.label), label && oneLine(label, 64)]
    .filter(Boolean).join(" · ");
}

/** Table of the graphs' figures: each series and part, over the whole range. */
export function SummaryTable({ rows, charts }: { rows: readonly Row[]; charts: readonly Chart[] }) {
  const rare = new Set(
    charts.filter(({ isRare }) => isRare).flatMap(({ series }) => series.map(({ name }) => name)),
  );
  return (
    <DataTable
      label={texts.t("monitoring.table")}
      class="history-table"
      rows={rows.filter(({ name, max }) => !rare.has(name) || (max ?? 0) > 0)}
      keyOf={({ name, label = "" }) => `${name} ${label}`}
      columns={[
        { title: texts.t("monitoring.series"), cell: (row) => nameOf(row, charts) },
        ...FIGURES.map(([figure, word]): Column<Row> => ({
          title: texts.t(word),
          kind: "number",
          cell: (row) => formatFigure(row.unit, row[figure]),
        })),
      ]}
    />
  );
}
