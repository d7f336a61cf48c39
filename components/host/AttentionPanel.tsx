import type { AlertSummary, ConnectionStatus, VM } from "../../lib/contract/mod.ts";
import { DEFAULT_QUERY, listHref } from "../../lib/vm/list_query.ts";
import { oneLine } from "../../lib/text/text.ts";
import { number, plural, t } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";
import { TruncatedText } from "../kit/TruncatedText.tsx";
import { Panel } from "../kit/Panel.tsx";

/** Props of {@link AttentionPanel}. */
export interface AttentionPanelProps {
  vms: readonly VM[];
  /** How many there are; `vms` has the first of them. */
  total: number;
  connection: ConnectionStatus;
  /** What is wrong with the host or KVM Manager itself, one sentence each. */
  host: readonly string[];
  alerts: AlertSummary;
  /** Whether they may look at the host's health, which says what to do. */
  mayHealth: boolean;
}

/** Where what to do about the host is said. */
const HEALTH = "/settings/health";

/** Why a VM is here, in a sentence. */
function reasonOf(vm: VM): string {
  if (vm.attention.length > 0) return oneLine(vm.attention.join(" · "), 200);
  return t(vm.responsive ? "attention.crashed" : "note.unresponsive");
}

/** What needs a person. */
export function AttentionPanel({ vms, total, connection, host, alerts, mayHealth }: AttentionPanelProps) {
  const isCalm = total === 0 && host.length === 0 && connection.connected && alerts.firing === 0;
  const healthOf = (name: string) =>
    mayHealth
      ? <a class="attention-name" href={HEALTH}>{name}</a>
      : <span class="attention-name">{name}</span>;
  return (
    <Panel
      title={t("filter.attention")}
      aside={total > 0 && (
        <a href={listHref(DEFAULT_QUERY, { state: "attention" })}>
          {t("dashboard.all", { total: number(total) })}
        </a>
      )}
    >
      {isCalm && (
        <p class="text-muted pad all-clear">
          <Icon name="check" />
          {t("attention.none")}
        </p>
      )}
      <ul class="attention-list">
        {!connection.connected && (
          <li data-tone="bad">
            <Icon name="unplug" />
            {healthOf(t("attention.libvirt"))}
            <span class="text-muted">
              {connection.error === null ? t("connection.connecting") : oneLine(connection.error, 200)}
            </span>
          </li>
        )}
        {alerts.firing > 0 && (
          <li data-tone={alerts.worst === "critical" ? "bad" : "warn"}>
            <Icon name="bell" />
            <a class="attention-name" href="/alerts">{t("nav.alerts")}</a>
            <span class="text-muted">{plural("attention.firing", alerts.firing)}</span>
          </li>
        )}
        {host.map((sentence) => (
          <li key={sentence} data-tone="warn">
            <Icon name="alert" />
            {healthOf(t("attention.host"))}
            <span class="text-muted">{sentence}</span>
          </li>
        ))}
        {vms.map((vm) => (
          <li key={vm.id} data-tone={vm.state === "crashed" || !vm.responsive ? "bad" : "warn"}>
            <Icon name={vm.state === "crashed" ? "crashed" : "alert"} />
            <a class="attention-name" href={`/vms/${encodeURIComponent(vm.id)}`}>
              <TruncatedText text={vm.name} longest={60} />
            </a>
            <span class="text-muted ellipsis" title={reasonOf(vm)}>{reasonOf(vm)}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
