import { pending } from "../lib/client/pending.ts";
import type { VM } from "../lib/contract/mod.ts";
import { StateBadge } from "./StateBadge.tsx";

/** A machine's state, and at once what was just asked for. */
export function VmState({ vm }: { vm: VM }) {
  return <StateBadge vm={vm} pending={pending.of(vm.id).value} />;
}
