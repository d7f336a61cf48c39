import type { HostStatus } from "../../lib/contract/mod.ts";
import { expiredText } from "../../lib/host/certificate_text.ts";
import { maintenanceText } from "../../lib/host/maintenance_text.ts";
import { HOST_STATES } from "../../lib/host/states.ts";
import { hosts as texts } from "../../lib/i18n/en/hosts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { hrefOn } from "../../lib/text/host_path.ts";
import { formatMemory, formatPercent } from "../../lib/text/quantity.ts";
import { oneLine } from "../../lib/text/text.ts";
import { DataTable } from "../kit/DataTable.tsx";
import { Icon } from "../kit/Icon.tsx";
import { LoadBar } from "../kit/LoadBar.tsx";
import { Panel } from "../kit/Panel.tsx";
import { RelativeTime } from "../kit/RelativeTime.tsx";

const { t, plural } = textsOf(texts);

function State(
  { host: { status, error, since, foreignVms, maintenance, linked }, now }: { host: HostStatus; now: number },
) {
  const expired = expiredText(linked?.certificateEndsAt, now);
  return (
    <span class="stack">
      <span class="state" data-tone={status === "connected" ? "ok" : "bad"}>
        <Icon name={status === "connected" ? "check" : "unplug"} />
        <span class="state-word">{t(HOST_STATES[status])}</span>
      </span>
      {status !== "connected" && (
        <span class="text-muted">
          {t("hosts.since")} <RelativeTime at={since} now={now} />
        </span>
      )}
      {maintenance !== undefined && <strong data-maintenance>{maintenanceText(maintenance)}</strong>}
      {error !== null && <span class="error-text">{oneLine(error, 200)}</span>}
      {foreignVms.length > 0 && <span>{plural("hosts.foreign", foreignVms.length)}</span>}
      {expired !== undefined && <span data-certificate>{expired}</span>}
    </span>
  );
}

function Load({ percent, text, kind }: { percent: number; text: string; kind: "cpu" | "memory" }) {
  return (
    <span class="figure-bar">
      <LoadBar percent={percent} kind={kind} /> {text}
    </span>
  );
}

/** All hosts at a glance; those that do not answer first. What is shown of one that is away is as old as its state says. */
export function HostsPanel({ hosts, now }: { hosts: readonly HostStatus[]; now: number }) {
  const shown = hosts.toSorted((a, b) => Number(a.status === "connected") - Number(b.status === "connected"));
  return (
    <Panel title={t("hosts.title")} class="wide">
      <DataTable
        label={t("hosts.title")}
        rows={shown}
        keyOf={({ id }) => id}
        attributesOf={({ id }) => ({ "data-host-row": id })}
        columns={[
          {
            title: t("hosts.name"),
            cell: ({ id, label }) => (
              <a href={hrefOn(id, "/")}>
                <bdi>{oneLine(label, 60)}</bdi>
              </a>
            ),
          },
          { title: t("hosts.state"), fit: "wrap", cell: (host) => <State host={host} now={now} /> },
          {
            title: t("hosts.vms"),
            cell: ({ id, vmCount, activeVmCount = 0 }) =>
              vmCount !== undefined && (
                <a href={hrefOn(id, "/vms")}>{t("hosts.vms_of", { n: activeVmCount, all: vmCount })}</a>
              ),
          },
          {
            title: t("hosts.cpu"),
            cell: ({ load }) =>
              typeof load?.cpuUsagePercent === "number" && (
                <Load percent={load.cpuUsagePercent} text={formatPercent(load.cpuUsagePercent)} kind="cpu" />
              ),
          },
          {
            title: t("hosts.memory"),
            cell: ({ load }) =>
              typeof load?.memoryUsedMb === "number" && (
                <Load
                  percent={load.memoryUsedMb / load.memoryTotalMb * 100}
                  text={t("hosts.memory_of", {
                    used: formatMemory(load.memoryUsedMb),
                    total: formatMemory(load.memoryTotalMb),
                  })}
                  kind="memory"
                />
              ),
          },
          { title: t("hosts.libvirt"), cell: ({ version }) => version },
        ]}
      />
    </Panel>
  );
}
