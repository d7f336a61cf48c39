import { computed } from "@preact/signals";
import { IS_BROWSER } from "fresh/runtime";
import { useEffect, useMemo } from "preact/hooks";
import { AttentionPanel } from "../components/host/AttentionPanel.tsx";
import { StatesPanel } from "../components/host/StatesPanel.tsx";
import { TopPanel } from "../components/host/TopPanel.tsx";
import { live } from "../lib/client/live.ts";
import { useAlertSummary } from "../lib/client/use_alert_summary.ts";
import { reportFailure } from "../lib/client/toasts.ts";
import type { AlertSummary, ConnectionStatus } from "../lib/contract/mod.ts";
import { summarise, type Summary } from "../lib/vm/summary.ts";

/** Props of {@link MachinesPanel}. */
export interface MachinesPanelProps {
  /** The machines summed up when the page was rendered; the browser goes on from the live store. */
  summary: Summary;
  connection: ConnectionStatus;
  /** What is wrong with the host itself when the page was rendered. */
  hostAttention: readonly string[];
  /** What fires; null while unknown. */
  alerts: AlertSummary | null;
  /** Whether they may look at the host's health. */
  mayHealth: boolean;
  /** Whether they may create VMs. */
  mayCreate: boolean;
}

/** The machines at a glance: how many in which state, what needs a person, what is busy. */
export default function MachinesPanel(
  { summary: first, connection, hostAttention, alerts, mayHealth, mayCreate }: MachinesPanelProps,
) {
  const summary = useMemo(() =>
    computed(() => {
      if (!IS_BROWSER || !live.vms.complete.value) return first;
      live.vms.ticks.value;
      return summarise(live.vms.all.value, ({ id }) => live.vms.stats(id).peek());
    }), []);
  useEffect(() => {
    live.complete().catch((error) => reportFailure("failed.list", error));
  }, []);
  const { counts, attention, top } = summary.value;
  const firing = useAlertSummary(alerts).value;
  const status = (IS_BROWSER ? live.connection.value : null) ?? connection;
  return (
    <>
      <AttentionPanel
        vms={attention}
        total={counts.attention}
        connection={status}
        host={hostAttention}
        alerts={firing}
        mayHealth={mayHealth}
      />
      <StatesPanel counts={counts} mayCreate={mayCreate} />
      <TopPanel vms={top} running={counts.running + counts.paused} />
    </>
  );
}
