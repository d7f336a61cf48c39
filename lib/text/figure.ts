/** Figures of metrics as people read them, by their unit. */
import type { MetricUnit } from "../contract/metric_series.ts";
import { withDecimalSign } from "../i18n/numbers.ts";
import { t } from "../i18n/mod.ts";
import { formatBytes, formatPercent, formatRate } from "./quantity.ts";

/** Three digits that say something: `0.042`, `1.5`, `38`, `12345`. */
function digits(value: number): string {
  if (value === 0) return "0";
  if (value >= 99.95) return value.toFixed(0);
  return withDecimalSign(
    value >= 1 ? value.toFixed(1).replace(/\.0$/, "") : String(Number(value.toPrecision(2))),
  );
}

const FORMATS: Readonly<Record<MetricUnit, (value: number) => string>> = {
  "percent": formatPercent,
  "bytes": formatBytes,
  "bytes/s": formatRate,
  "1/s": (value) => t("figure.per_second", { n: digits(value) }),
  "ms": (value) => t("figure.milliseconds", { n: digits(value) }),
  "celsius": (value) => t("figure.celsius", { n: digits(value) }),
  "count": digits,
};

/** A figure with its unit; a dash where there is none. */
export function formatFigure(unit: MetricUnit, value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : FORMATS[unit](value);
}
