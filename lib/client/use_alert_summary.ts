/** Alerts that fire, on every page: as rendered at first, then live. */
import type { ReadonlySignal } from "@preact/signals";
import type { AlertSummary } from "../contract/mod.ts";
import { api } from "./api.ts";
import { live } from "./live.ts";
import { whenChanged } from "./query.ts";
import { useQuery } from "./use_query.ts";

/** @param first what fired when the page was rendered; null while unknown */
export function useAlertSummary(first: AlertSummary | null): ReadonlySignal<AlertSummary | null> {
  return useQuery<AlertSummary | null>({
    first,
    read: () => api.getAlertSummary(),
    follow: whenChanged(live.alertChanges),
    failed: null,
  }).value;
}
