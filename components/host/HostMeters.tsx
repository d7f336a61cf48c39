import type { ComponentChildren } from "preact";
import type { HostInfo, HostStats } from "../../lib/contract/mod.ts";
import { poolHref } from "../../lib/storage/pool_href.ts";
import type { PoolFill } from "../../lib/storage/fullest.ts";
import type { DashboardSummary } from "../../lib/vm/summary.ts";
import { formatBytes, formatMemory, formatPercent, share } from "../../lib/text/quantity.ts";
import { host as hostTexts } from "../../lib/i18n/en/host.ts";
import { fixed } from "../../lib/i18n/numbers.ts";
import { number, plural, t, textsOf } from "../../lib/i18n/mod.ts";
import { LoadBar } from "../kit/LoadBar.tsx";
import { TruncatedText } from "../kit/TruncatedText.tsx";

const texts = textsOf(hostTexts);

function Meter({ title, figure, of, percent, kind, children }: {
  title: string;
  /** Null while unknown. */
  figure: string | null;
  of: string;
  percent: number;
  kind: "cpu" | "memory" | "storage";
  children: ComponentChildren;
}) {
  return (
    <section class="panel meter" aria-label={title}>
      <h2 class="panel-title">{title}</h2>
      <p class="meter-figure">
        <b>{figure ?? "–"}</b> <span class="text-muted">{of}</span>
      </p>
      <LoadBar percent={figure === null ? 0 : percent} kind={kind} />
      <p class="meter-note">{children}</p>
    </section>
  );
}

/** How full the host is, and what its running VMs were promised. */
export function HostMeters({ host, stats, promised, pool }: {
  host: HostInfo;
  stats: HostStats;
  promised: DashboardSummary["promised"];
  /** The fullest storage pool; null where none is known. */
  pool: PoolFill | null;
}) {
  const { cpuUsagePercent: cpu, memoryUsedMb: memory, memoryTotalMb: memoryTotal } = stats;
  const ratio = fixed(promised.cpus / host.cpuThreads, 1);
  return (
    <div class="meters">
      <Meter
        title={t("graph.cpu")}
        figure={cpu === null ? null : formatPercent(cpu)}
        of={plural("graph.of_threads", host.cpuThreads)}
        percent={cpu ?? 0}
        kind="cpu"
      >
        {texts.plural("host.cpus_promised", promised.cpus, { ratio })}
      </Meter>
      <Meter
        title={t("graph.memory")}
        figure={memory === null ? null : formatMemory(memory)}
        of={t("graph.of", { total: formatMemory(memoryTotal) })}
        percent={share(memory ?? 0, memoryTotal)}
        kind="memory"
      >
        {texts.t("host.memory_promised", {
          memory: formatMemory(promised.memoryMb),
          percent: number(Math.round(promised.memoryMb / memoryTotal * 100)),
        })}
      </Meter>
      {pool && (
        <Meter
          title={t("nav.storage")}
          figure={formatBytes(pool.usedBytes)}
          of={t("graph.of", { total: formatBytes(pool.capacityBytes) })}
          percent={share(pool.usedBytes, pool.capacityBytes)}
          kind="storage"
        >
          <a href={poolHref(pool.name)}>
            <TruncatedText text={pool.name} />
          </a>
          <span>{texts.t("host.fullest")}</span>
        </Meter>
      )}
    </div>
  );
}
