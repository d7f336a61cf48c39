import { formatLately } from "../../lib/hangs/words.ts";
import { expiredText } from "../../lib/host/certificate_text.ts";
import { maintenanceText } from "../../lib/host/maintenance_text.ts";
import type { HostBrief } from "../../lib/host/brief.ts";
import { HOST_STATES } from "../../lib/host/states.ts";
import { hosts as texts } from "../../lib/i18n/en/hosts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { hrefOn } from "../../lib/text/host_path.ts";
import { formatMemory, formatPercent, share } from "../../lib/text/quantity.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatAgo } from "../../lib/text/time.ts";
import { Icon } from "../kit/Icon.tsx";
import { LoadBar } from "../kit/LoadBar.tsx";

const { t, plural } = textsOf(texts);

/** Props of {@link SidebarHosts}. */
export interface SidebarHostsProps {
  hosts: readonly HostBrief[];
  /** Id of the host whose page it is. */
  current: string;
  /** Present time, which spans are counted to. */
  now: number;
}

/** Its load as read last, with its age. */
function loadText({ load }: HostBrief, now: number): string | undefined {
  if (load === undefined || load.memoryUsedMb === null || load.cpuUsagePercent === null) return undefined;
  return t("hosts.load_of", {
    cpu: formatPercent(load.cpuUsagePercent),
    used: formatMemory(load.memoryUsedMb),
    total: formatMemory(load.memoryTotalMb),
    ago: formatAgo(load.timestamp, now),
  });
}

/** Facts on a host, a line each: its name, the reason and time of its absence, versions, load, problems. */
function linesOf(host: HostBrief, now: number): string {
  const { label, status, error, since, version, manager, foreign, maintenance } = host;
  const isAway = status !== "connected";
  const lines = [
    oneLine(label, 40),
    maintenance !== undefined && maintenanceText(maintenance),
    isAway && t("hosts.state_since", { state: t(HOST_STATES[status]), time: formatLately(since, now) }),
    isAway && error !== null && oneLine(error, 200),
    manager !== undefined && t("hosts.manager_version", { version: oneLine(manager, 40) }),
    version !== undefined && t("hosts.version", { version }),
    loadText(host, now),
    foreign > 0 && plural("hosts.foreign", foreign),
    expiredText(host.certificateEndsAt, now),
  ];
  return lines.filter(Boolean).join("\n");
}

function HostLink({ host, current, now }: Omit<SidebarHostsProps, "hosts"> & { host: HostBrief }) {
  const { id, label, status, load, vmCount, foreign, maintenance } = host, isWell = status === "connected";
  const needsAttention = foreign > 0 || expiredText(host.certificateEndsAt, now) !== undefined;
  return (
    <a
      class="side-link"
      href={hrefOn(id, "/")}
      title={linesOf(host, now)}
      data-away={isWell ? undefined : ""}
      aria-current={id === current ? "true" : undefined}
    >
      <Icon name={isWell ? "vms" : "unplug"} />
      <bdi class="side-text">{oneLine(label, 40)}</bdi>
      {needsAttention && (
        <>
          <Icon name="alert" class="warn" />
          <span class="visually-hidden">{t("hosts.attention")}</span>
        </>
      )}
      {maintenance !== undefined && (
        <span data-maintenance>
          <Icon name="pause" class="warn" />
          <span class="visually-hidden">{maintenanceText(maintenance)}</span>
        </span>
      )}
      {isWell && load && load.memoryUsedMb !== null && (
        <LoadBar percent={share(load.memoryUsedMb, load.memoryTotalMb)} kind="memory" />
      )}
      {isWell
        ? vmCount !== undefined && (
          <span class="nav-count" aria-label={plural("hosts.vms_n", vmCount)}>{vmCount}</span>
        )
        : <span class="nav-count">{t(HOST_STATES[status])}</span>}
    </a>
  );
}

/** Each host with its state, load and how many VMs it has. */
export function HostLinks({ hosts, current, now }: SidebarHostsProps) {
  return (
    <>
      {/* No heading: the page's own comes first */}
      <p id="side-hosts" class="side-heading side-text">{t("hosts.title")}</p>
      <ul class="side-list">
        {hosts.map((host) => (
          <li key={host.id}>
            <HostLink host={host} current={current} now={now} />
          </li>
        ))}
      </ul>
    </>
  );
}

/** The hosts; nothing where there is one. `draw_hosts.tsx` keeps them up to date. */
export function SidebarHosts(props: SidebarHostsProps) {
  if (props.hosts.length < 2) return null;
  return (
    <nav class="side-hosts" aria-labelledby="side-hosts">
      <HostLinks {...props} />
    </nav>
  );
}
