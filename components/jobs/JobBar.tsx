/** How far a job is. Drawn, not styled: widths in style attributes are refused by the content security policy. */
export function JobBar({ progress, label }: { progress: number | null; label: string }) {
  const percent = progress === null ? undefined : Math.floor(progress * 100);
  return (
    <div
      class="job-bar"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      data-unknown={percent === undefined ? "" : undefined}
    >
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="job-track" width="100" height="4" />
        <rect class="job-fill" width={percent ?? 30} height="4" />
      </svg>
    </div>
  );
}
