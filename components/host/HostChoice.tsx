import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import type { HostStatus } from "../../lib/contract/mod.ts";
import { type HostAdvice, type Lack, NEEDED } from "../../lib/host/advice.ts";
import { newVmHrefOn } from "../../lib/host/new_vm_href.ts";
import { formatLately } from "../../lib/hangs/words.ts";
import { HOST_STATES } from "../../lib/host/states.ts";
import { hosts as texts } from "../../lib/i18n/en/hosts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formatBytes, formatMemory, formatPercent, share } from "../../lib/text/quantity.ts";
import { hrefOn } from "../../lib/text/host_path.ts";
import { oneLine } from "../../lib/text/text.ts";
import { Icon } from "../kit/Icon.tsx";
import { LoadBar } from "../kit/LoadBar.tsx";

const { t, plural } = textsOf(texts);

const LACKS: Readonly<Record<Exclude<Lack, "away">, (advice: HostAdvice) => string>> = {
  maintenance: () => t("hosts.lack_maintenance"),
  memory: () => t("hosts.lack_memory", { least: formatMemory(NEEDED.memoryMb) }),
  cpu: () => t("hosts.lack_cpu"),
  pool: ({ pool }) =>
    pool === null
      ? t("hosts.lack_pool")
      : t("hosts.lack_pool_room", { least: formatBytes(NEEDED.poolBytes) }),
};

/** Why a host is away, and since when. */
function Away({ host: { status, error, since }, now }: { host: HostStatus; now: number }) {
  return (
    <>
      <p class="host-lack">
        <Icon name="unplug" />
        {t("hosts.state_since", { state: t(HOST_STATES[status]), time: formatLately(since, now) })}
      </p>
      {error !== null && <p class="text-muted">{oneLine(error, 300)}</p>}
    </>
  );
}

/** Free capacity of a host, figure by figure; unknown ones are marked as unknown. */
function Facts({ advice: { host, memory, cpuPercent, pool } }: { advice: HostAdvice }) {
  return (
    <ul class="template-facts">
      {host.vmCount !== undefined && (
        <li>{plural("hosts.vms_running", host.vmCount, { running: host.activeVmCount ?? 0 })}</li>
      )}
      <li>
        {memory === undefined ? t("hosts.memory_unknown") : (
          <span class="figure-bar">
            <LoadBar percent={share(memory.totalMb - memory.freeMb, memory.totalMb)} kind="memory" />
            {t("hosts.memory_free", {
              free: formatMemory(memory.freeMb),
              total: formatMemory(memory.totalMb),
            })}
          </span>
        )}
      </li>
      <li>
        {cpuPercent === undefined ? t("hosts.cpu_unknown") : (
          <span class="figure-bar">
            <LoadBar percent={share(cpuPercent, 100)} kind="cpu" />
            {t("hosts.cpu_load", { load: formatPercent(cpuPercent) })}
          </span>
        )}
      </li>
      {pool !== null && (
        <li>
          {pool === undefined
            ? t("hosts.pools_unknown")
            : t("hosts.pool_free", { pool: oneLine(pool.name, 40), free: formatBytes(pool.availableBytes) })}
        </li>
      )}
    </ul>
  );
}

function Card({ advice, now }: { advice: HostAdvice; now: number }) {
  const { host, lacks, isRecommended } = advice, name = oneLine(host.label, 60);
  const isAway = lacks.includes("away");
  return (
    <li
      class="template-card"
      data-host-row={host.id}
      data-away={isAway ? "" : undefined}
      data-recommended={isRecommended ? "" : undefined}
    >
      <h2>
        <bdi>{name}</bdi>
      </h2>
      {isRecommended && (
        <p class="host-recommended">
          <Icon name="check" /> {t("hosts.recommended")}
        </p>
      )}
      {isAway ? <Away host={host} now={now} /> : <Facts advice={advice} />}
      {lacks.filter((lack) => lack !== "away").map((lack) => (
        <p key={lack} class="host-lack">
          <Icon name="alert" /> {LACKS[lack](advice)}
        </p>
      ))}
      {!isAway && (
        <a class={isRecommended ? "button primary" : "button"} href={newVmHrefOn(host.id)}>
          {t("hosts.create_on", { name })}
        </a>
      )}
    </li>
  );
}

/** The hosts to create a VM on, each with what it has left, in the order of the advice. */
export function HostChoice({ advice, now }: { advice: readonly HostAdvice[]; now: number }) {
  return (
    <>
      <p class="host-choice-what text-muted">{t("hosts.choose_what")}</p>
      <ul class="template-cards host-choice">
        {advice.map((each) => <Card key={each.host.id} advice={each} now={now} />)}
      </ul>
    </>
  );
}

/** Says which host was chosen, and leads back to the choice. */
export function ChosenHost({ name }: { name: string }) {
  return (
    <nav class="host-chosen" aria-label={t("hosts.chosen")}>
      <span>
        {t("hosts.chosen")}: <bdi>{oneLine(name, 60)}</bdi>
      </span>
      <a href={hrefOn(LOCAL_HOST, "/vms/new")}>{t("hosts.choose_other")}</a>
    </nav>
  );
}
