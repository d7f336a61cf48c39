import { formatAgo, formatMoment } from "../../lib/text/time.ts";

/** How long ago something was; the exact time on hover and for VMs. */
export function RelativeTime({ at, now }: { at: number; now: number }) {
  return <time dateTime={new Date(at).toISOString()} title={formatMoment(at)}>{formatAgo(at, now)}</time>;
}
