import { computed, useSignal } from "@preact/signals";
import { IS_BROWSER } from "fresh/runtime";
import { useEffect, useMemo } from "preact/hooks";
import { AttentionPanel } from "../components/host/AttentionPanel.tsx";
import { HostMeters } from "../components/host/HostMeters.tsx";
import { StatesPanel } from "../components/host/StatesPanel.tsx";
import { TopPanel } from "../components/host/TopPanel.tsx";
import { live } from "../lib/client/live.ts";
import { api } from "../lib/client/api.ts";
import { useAlertSummary } from "../lib/client/use_alert_summary.ts";
import { heardHosts } from "../lib/client/heard_hosts.ts";
import { useHangs } from "../lib/client/use_hangs.ts";
import { poolChanges, useQuery } from "../lib/client/use_query.ts";
import { reportFailure } from "../lib/client/toasts.ts";
import type { AlertSummary, ConnectionStatus, Hang, HostInfo, HostStats } from "../lib/contract/mod.ts";
import { LOCAL_HOST } from "../lib/contract/local_host.ts";
import { HOUR_MS } from "../lib/duration.ts";
import type { HostBrief } from "../lib/host/brief.ts";
import type { ShownLack } from "../lib/host/ready.ts";
import { fullestPool, type PoolFill } from "../lib/storage/fullest.ts";
import { steadyOrder } from "../lib/vm/steady_order.ts";
import { type DashboardSummary, summarise } from "../lib/vm/summary.ts";

/** How long the busiest VMs keep their order, in milliseconds: rows that change places each second are not hit by a pointer. */
const RANKED_MS = 10_000;

/** The hosts besides the local one that are away. */
const awayOf = (hosts: readonly HostBrief[]) =>
  hosts.filter(({ id, status }) => id !== LOCAL_HOST && status !== "connected");

/** Props of {@link MachinesPanel}. */
export interface MachinesPanelProps {
  /** The VMs summed up when the page was rendered; the browser goes on from the live store. */
  summary: DashboardSummary;
  connection: ConnectionStatus;
  /** The host and its load; null while unknown. */
  host: HostInfo | null;
  stats: HostStats | null;
  /** The fullest storage pool; null where none is known. */
  pool: PoolFill | null;
  /** Whether they may see storage pools. */
  maySeePools: boolean;
  /** Firing alerts; null while unknown. */
  alerts: AlertSummary | null;
  /** Objects that do not respond; null while unknown. */
  hangs: readonly Hang[] | null;
  /** Parts that the host lacks before VMs can be created, with the steps that the user may take. */
  lacks: readonly ShownLack[];
  /** The hosts whose absence is told; empty on the page of one of them. */
  hosts: readonly HostBrief[];
  /** When the page was rendered. */
  now: number;
  /** Whether they may look at the host's health. */
  mayHealth: boolean;
  /** Whether they may create VMs. */
  mayCreate: boolean;
}

/** The VMs at a glance: how many in which state, what needs a person, what is busy. */
export default function MachinesPanel(
  {
    summary: first,
    connection,
    host,
    stats: firstStats,
    pool: firstPool,
    maySeePools,
    alerts,
    hangs,
    lacks,
    hosts,
    now,
    mayHealth,
    mayCreate,
  }: MachinesPanelProps,
) {
  const summary = useMemo(() => {
    let shown = first.top.map(({ id }) => id), since = Date.now();
    return computed(() => {
      if (!IS_BROWSER || !live.vms.complete.value) return first;
      live.vms.ticks.value;
      const found = summarise(live.vms.all.value, ({ id }) => live.vms.stats(id).peek());
      if (Date.now() - since >= RANKED_MS) [shown, since] = [[], Date.now()];
      const top = steadyOrder(shown, found.top);
      shown = top.map(({ id }) => id);
      return { ...found, top };
    });
  }, []);
  useEffect(() => {
    live.complete().catch((error) => reportFailure("failed.list", error));
  }, []);
  const { value: pool } = useQuery({
    first: firstPool,
    read: async () => maySeePools ? fullestPool(await api.getStoragePools()) : null,
    follow: poolChanges(),
  });
  const health = useSignal(host?.health);
  useEffect(() => {
    const { at } = health.peek() ?? {};
    if (!mayHealth || (at !== undefined && now - at < HOUR_MS)) return;
    // Examining takes seconds: the page does not wait for it.
    api.getHostHealth().then(() => api.getHostInfo()).then(
      (info) => health.value = info.health,
      (error) => console.warn("The host could not be examined:", error),
    );
  }, []);
  const away = hosts.length === 0 ? [] : awayOf(IS_BROWSER ? heardHosts(hosts) : hosts);
  const { counts, attention, top, promised } = summary.value;
  const stats = (IS_BROWSER ? live.hostStats.value : null) ?? firstStats;
  const firing = useAlertSummary(alerts).value;
  const silent = useHangs(hangs).value;
  const status = (IS_BROWSER ? live.connection.value : null) ?? connection;
  return (
    <>
      <AttentionPanel
        vms={attention}
        total={counts.attention}
        connection={status}
        host={[...host?.attention ?? [], ...host?.uncovered ?? []]}
        health={health.value}
        alerts={firing}
        hangs={silent}
        lacks={lacks}
        away={away}
        now={now}
        mayHealth={mayHealth}
      />
      <StatesPanel counts={counts} mayCreate={mayCreate} />
      <TopPanel vms={top} running={counts.running + counts.paused} />
      {host && stats && <HostMeters host={host} stats={stats} promised={promised} pool={pool.value} />}
    </>
  );
}
