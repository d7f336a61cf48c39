/** Most figures that are drawn; fewer begin at the right. */
const POINTS = 60;

/** Props of {@link Sparkline}. */
export interface SparklineProps {
  /** From 0 to 100, the newest last; one is drawn as a level. */
  percents: readonly number[];
  kind: "cpu" | "memory";
}

/** The course of a load, without axes. The figure stands next to it, so screen readers are spared the picture. */
export function Sparkline({ percents, kind }: SparklineProps) {
  const shown = percents.slice(-POINTS);
  const at = (percent: number) => (100 - Math.min(100, Math.max(0, percent))).toFixed(0);
  const begin = POINTS - shown.length;
  const line = shown.length === 1
    ? `0,${at(shown[0]!)} ${POINTS - 1},${at(shown[0]!)}`
    : shown.map((percent, index) => `${begin + index},${at(percent)}`).join(" ");
  const left = shown.length === 1 ? 0 : begin;
  return (
    <svg
      class="sparkline"
      data-kind={kind}
      data-high={(shown.at(-1) ?? 0) >= 90 ? "" : undefined}
      viewBox={`0 0 ${POINTS - 1} 100`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <polygon class="sparkline-area" points={`${left},100 ${line} ${POINTS - 1},100`} />
      <polyline class="sparkline-line" points={line} vector-effect="non-scaling-stroke" />
    </svg>
  );
}
