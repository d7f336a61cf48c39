/** A load as a bar. The figure stands next to it, so screen readers are spared the bar. */
export function LoadBar({ percent, kind }: { percent: number; kind: "cpu" | "memory" | "storage" }) {
  // Drawn, not styled: widths in style attributes are refused by the content security policy.
  return (
    <svg
      class="load"
      data-kind={kind}
      data-high={percent >= 90 ? "" : undefined}
      viewBox="0 0 100 4"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <rect class="load-track" width="100" height="4" />
      <rect class="load-fill" width={percent.toFixed(1)} height="4" />
    </svg>
  );
}
