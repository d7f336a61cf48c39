import type { AlertSummary, ConnectionStatus, Hang, HostInfo, VM } from "../../lib/contract/mod.ts";
import { DEFAULT_QUERY, listHref } from "../../lib/vm/list_query.ts";
import { otherAttention } from "../../lib/vm/not_responding.ts";
import { formatLately } from "../../lib/hangs/words.ts";
import type { HostBrief } from "../../lib/host/brief.ts";
import { HOST_STATES } from "../../lib/host/states.ts";
import { isSilent } from "../../lib/hangs/libvirt.ts";
import { oneLine } from "../../lib/text/text.ts";
import type { ShownLack } from "../../lib/host/ready.ts";
import { hangs as texts } from "../../lib/i18n/en/hangs.ts";
import { hosts as hostsTable } from "../../lib/i18n/en/hosts.ts";
import { hrefOn } from "../../lib/text/host_path.ts";
import { host as hostTable } from "../../lib/i18n/en/host.ts";
import { number, plural, t, textsOf } from "../../lib/i18n/mod.ts";
import { HangRow } from "../hangs/HangRow.tsx";
import { Icon } from "../kit/Icon.tsx";
import { TruncatedText } from "../kit/TruncatedText.tsx";
import { Panel } from "../kit/Panel.tsx";
import { ReadySteps } from "./ReadySteps.tsx";

const hangTexts = textsOf(texts), hostTexts = textsOf(hostTable), hostsTexts = textsOf(hostsTable);

/** Props of {@link AttentionPanel}. */
export interface AttentionPanelProps {
  vms: readonly VM[];
  /** How many there are; `vms` has the first of them. */
  total: number;
  connection: ConnectionStatus;
  /** Problems of the host or KVM Manager itself, one sentence each. */
  host: readonly string[];
  /** Firing alerts; null if they cannot be read. */
  alerts: AlertSummary | null;
  /** Objects that do not respond; null if they cannot be read. */
  hangs: readonly Hang[] | null;
  /** Parts that the host lacks before VMs can be created: their sentences are among those of `host`. */
  lacks: readonly ShownLack[];
  /** Other hosts that are away. */
  away: readonly HostBrief[];
  /** When the page was rendered. */
  now: number;
  /** Result of the last check of the host; undefined before the first one. */
  health: HostInfo["health"];
  /** Whether they may look at the host's health, which says what to do. */
  mayHealth: boolean;
}

/** Page with remedies for the host's problems. */
const HEALTH = "/settings/health";

/** Reasons for which a VM needs attention, other than that it does not respond. */
const otherReasons = (vm: VM): string => oneLine(otherAttention(vm).join(" · "), 200);

/** A VM that needs a person, and why. */
function VmRow({ vm, now }: { vm: VM; now: number }) {
  const { id, name, notResponding, state } = vm, others = otherReasons(vm);
  if (notResponding !== undefined) {
    const hang = {
      about: "vm",
      name,
      vmId: id,
      ...notResponding,
      remedy: hangTexts.t("hangs.vm_short"),
    } as const;
    return (
      <HangRow hang={hang} now={now}>
        {others !== "" && <span class="text-muted">{others}</span>}
      </HangRow>
    );
  }
  const reason = others === "" ? t("attention.crashed") : others;
  return (
    <li data-tone={state === "crashed" ? "bad" : "warn"}>
      <Icon name={state === "crashed" ? "crashed" : "alert"} />
      <a class="attention-name" href={`/vms/${encodeURIComponent(id)}`}>
        <TruncatedText text={name} longest={60} />
      </a>
      <span class="text-muted attention-reason" title={reason}>{reason}</span>
    </li>
  );
}

/** A host that is away, since when, and why. */
function HostRow({ host: { id, label, status, since, error }, now }: { host: HostBrief; now: number }) {
  const state = hostsTexts.t(HOST_STATES[status]);
  const sinceText = hostsTexts.t("hosts.state_since", { state, time: formatLately(since, now) });
  const reason = error === null ? sinceText : `${sinceText}: ${oneLine(error, 200)}`;
  return (
    <li data-tone="bad" data-away={id}>
      <Icon name="unplug" />
      <a class="attention-name" href={hrefOn(id, "/")}>
        <TruncatedText text={t("attention.host_named", { host: oneLine(label, 40) })} longest={60} />
      </a>
      <span class="text-muted attention-reason" title={reason}>{reason}</span>
    </li>
  );
}

/** Objects that do not respond, without those that have a row of their own. */
function otherHangs(hangs: readonly Hang[], { connected }: ConnectionStatus): readonly Hang[] {
  return hangs.filter(({ about }) => about !== "vm" && (connected || about !== "host"));
}

/** Result of the last check: `1 problem, 3 warnings`; empty if there are none, or before the first one. */
export const healthText = (health: HostInfo["health"]): string =>
  [
    health && health.problems > 0 && hostTexts.plural("host.problems", health.problems),
    health && health.warnings > 0 && hostTexts.plural("host.warnings", health.warnings),
  ].filter((text) => typeof text === "string").join(", ");

/** Panel of VMs and hosts that need attention. */
export function AttentionPanel(
  { vms, total, connection, host, alerts, hangs, lacks, away, now, health, mayHealth }: AttentionPanelProps,
) {
  const others = otherHangs(hangs ?? [], connection);
  const unread = [
    ...alerts === null ? [{ href: "/alerts", name: t("nav.alerts") }] : [],
    ...hangs === null ? [{ href: undefined, name: hangTexts.t("hangs.title") }] : [],
  ];
  const isCalm = total === 0 && host.length === 0 && connection.connected && alerts?.firing === 0 &&
    hangs !== null && others.length === 0 && away.length === 0 && healthText(health) === "";
  const healthOf = (name: string) =>
    mayHealth
      ? <a class="attention-name" href={HEALTH}>{name}</a>
      : <span class="attention-name">{name}</span>;
  return (
    <Panel
      title={t("filter.attention")}
      aside={total > vms.length && (
        <a href={listHref(DEFAULT_QUERY, { state: "attention" })}>
          {t("dashboard.all", { total: number(total) })}
        </a>
      )}
    >
      {isCalm && (
        <p class="text-muted pad all-clear">
          <Icon name="check" />
          {t(health === undefined ? "attention.none_known" : "attention.none")}
        </p>
      )}
      <ul class="attention-list">
        {!connection.connected && (
          <li data-tone="bad">
            <Icon name="unplug" />
            {healthOf(t("attention.libvirt"))}
            <span class="text-muted">
              {connection.error === null ? t("connection.connecting") : oneLine(connection.error, 200)}
              {isSilent(connection) && ` ${hangTexts.t("hangs.libvirt")}`}
            </span>
          </li>
        )}
        {away.map((each) => <HostRow key={each.id} host={each} now={now} />)}
        {others.map((hang) => <HangRow key={`${hang.about} ${hang.name}`} hang={hang} now={now} />)}
        {connection.connected && unread.map(({ href, name }) => (
          <li key={name} data-tone="warn">
            <Icon name="alert" />
            {href === undefined
              ? <span class="attention-name">{name}</span>
              : <a class="attention-name" href={href}>{name}</a>}
            <span class="text-muted">{t("attention.unread")}</span>
          </li>
        ))}
        {alerts !== null && alerts.firing > 0 && (
          <li data-tone={alerts.worst === "critical" ? "bad" : "warn"}>
            <Icon name="bell" />
            <a class="attention-name" href="/alerts">{t("nav.alerts")}</a>
            <span class="text-muted">{plural("attention.firing", alerts.firing)}</span>
          </li>
        )}
        {healthText(health) !== "" && (
          <li data-tone={health!.problems > 0 ? "bad" : "warn"}>
            <Icon name="alert" />
            {healthOf(t("attention.health"))}
            <span class="text-muted">{healthText(health)}</span>
          </li>
        )}
        {lacks.map((lack) => (
          <li key={lack.sentence} data-tone="warn" data-lack={lack.about}>
            <Icon name="alert" />
            <a class="attention-name" href={lack.about === "pool" ? "/storage" : "/networks"}>
              {lack.title}
            </a>
            <span class="text-muted">{lack.sentence}</span>
            <span class="attention-steps">
              <ReadySteps lack={lack} />
            </span>
          </li>
        ))}
        {host.filter((sentence) => !lacks.some((lack) => lack.sentence === sentence)).map((sentence) => (
          <li key={sentence} data-tone="warn">
            <Icon name="alert" />
            {healthOf(t("attention.host"))}
            <span class="text-muted">{sentence}</span>
          </li>
        ))}
        {vms.map((vm) => <VmRow key={vm.id} vm={vm} now={now} />)}
      </ul>
    </Panel>
  );
}
