import { HostGraphs } from "../components/host/HostGraphs.tsx";
import { Fact } from "../components/kit/Fact.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import { currentTime } from "../lib/client/clock.ts";
import { live } from "../lib/client/live.ts";
import type { HostInfo, HostStats } from "../lib/contract/mod.ts";
import type { LiveSeed } from "../lib/metrics/live_seed.ts";
import { formatMemory } from "../lib/text/quantity.ts";
import { oneLine } from "../lib/text/text.ts";
import { formatSpan } from "../lib/text/time.ts";
import { host as hostTexts } from "../lib/i18n/en/host.ts";
import { fixed } from "../lib/i18n/numbers.ts";
import { number, t, textsOf } from "../lib/i18n/mod.ts";

const texts = textsOf(hostTexts);

/** Props of {@link HostPanel}. */
export interface HostPanelProps {
  host: HostInfo;
  stats: HostStats;
  /** Stored samples of the last minutes. */
  seed: readonly LiveSeed[];
  /** When the page was rendered. */
  now: number;
  /** Whether they may see the host's graphs of the past. */
  hasMonitoring: boolean;
}

/** The host: what it is, and how loaded it is. */
export default function HostPanel({ host, stats: first, seed, now, hasMonitoring }: HostPanelProps) {
  const stats = live.hostStats.value ?? first;
  const up = stats.uptimeSeconds === null
    ? null
    : formatSpan(stats.uptimeSeconds * 1000 + Math.max(0, currentTime(now) - stats.timestamp));
  return (
    <Panel
      title={texts.t("host.title")}
      class="host wide"
      aside={hasMonitoring && <a href="/monitoring">{t("vm.tab_monitoring")}</a>}
    >
      <HostGraphs threads={host.cpuThreads} first={first} seed={seed} />
      <dl class="description-list columns">
        <Fact label={texts.t("host.cpu")}>{oneLine(host.cpuModel, 80) || "–"}</Fact>
        <Fact label={texts.t("host.cores")}>
          {texts.t("host.cores_threads", { cores: number(host.cpuCount), threads: number(host.cpuThreads) })}
        </Fact>
        <Fact label={texts.t("host.memory")}>{formatMemory(host.memoryTotalMb)}</Fact>
        <Fact label={texts.t("host.hypervisor")}>{oneLine(host.hypervisor, 60)}</Fact>
        <Fact label={texts.t("host.versions")}>
          {texts.t("host.libvirt_qemu", {
            libvirt: oneLine(host.libvirtVersion, 20),
            qemu: oneLine(host.qemuVersion, 20) || "–",
          })}
        </Fact>
        <Fact label={texts.t("host.load")}>
          {stats.loadAverage === null ? "–" : stats.loadAverage.map((load) => fixed(load, 2)).join("  ")}
        </Fact>
        <Fact label={texts.t("host.uptime")}>{up ?? "–"}</Fact>
      </dl>
    </Panel>
  );
}
