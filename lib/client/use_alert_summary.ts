/** What fires, on every page: what the page was rendered with, then live. */
import type { Signal } from "@preact/signals";
import type { AlertSummary } from "../contract/mod.ts";
import { api } from "./api.ts";
import { live } from "./live.ts";
import { whenChanged } from "./query.ts";
import { useQuery } from "./use_query.ts";

const NOTHING: AlertSummary = { firing: 0, acknowledged: 0, silenced: 0, worst: null };

/** @param first what fired when the page was rendered; null while unknown */
export function useAlertSummary(first: AlertSummary | null): Readonly<Signal<AlertSummary>> {
  return useQuery({
    first: first ?? NOTHING,
    read: () => api.getAlertSummary(),
    follow: whenChanged(live.alertChanges),
    failed: null,
  }).value;
}
