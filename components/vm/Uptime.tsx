import { currentTime } from "../../lib/client/clock.ts";
import type { VM } from "../../lib/contract/mod.ts";
import { formatMoment, formatSpan } from "../../lib/text/time.ts";

/** How long a VM has been up; it grows while one looks. */
export function Uptime({ vm, now }: { vm: Pick<VM, "startedAt">; now: number }) {
  if (vm.startedAt === undefined) return <span class="none">–</span>;
  return (
    <time dateTime={new Date(vm.startedAt).toISOString()} title={formatMoment(vm.startedAt)}>
      {formatSpan(currentTime(now) - vm.startedAt)}
    </time>
  );
}
