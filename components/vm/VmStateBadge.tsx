import { pending } from "../../lib/client/pending.ts";
import { waitingOf } from "../../lib/client/power_requests.ts";
import { useHydrated } from "../../lib/client/use_hydrated.ts";
import type { VM } from "../../lib/contract/mod.ts";
import { StateBadge } from "./StateBadge.tsx";

/**
 * A VM's state, at once what was just asked for, and what its guest was asked for.
 *
 * @param now when the page was rendered
 */
export function VmStateBadge({ vm, now }: { vm: VM; now: number }) {
  const waiting = waitingOf(vm, now, useHydrated());
  return <StateBadge vm={vm} pending={pending.of(vm.id).value} waiting={waiting} />;
}
