/** Parts of the host that do not respond, kept current. */
import type { ReadonlySignal } from "@preact/signals";
import type { Hang } from "../contract/mod.ts";
import { api } from "./api.ts";
import { live } from "./live.ts";
import { whenChanged } from "./query.ts";
import { useQuery } from "./use_query.ts";

/** @param first what did not respond when the page was rendered; null while unknown */
export function useHangs(first: readonly Hang[] | null): ReadonlySignal<readonly Hang[] | null> {
  return useQuery<readonly Hang[] | null>({
    first,
    read: () => api.listHangs(),
    follow: whenChanged(live.hangChanges),
    failed: null,
  }).value;
}
