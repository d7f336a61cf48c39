import { page } from "fresh";
import { Head } from "fresh/runtime";
import { HostChoices } from "../../../components/host/HostChoices.tsx";
import { Empty } from "../../../components/kit/Empty.tsx";
import { CheckField, SelectField, TextField } from "../../../components/kit/Field.tsx";
import { Flash } from "../../../components/kit/Flash.tsx";
import { NetworkRows } from "../../../components/replication/NetworkRows.tsx";
import { REPLICATION_PAGE } from "../../../components/replication/ReplicationTables.tsx";
import { replication as texts } from "../../../lib/i18n/en/replication.ts";
import { t as common, textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { ownNetworks } from "../../../lib/vm/own_networks.ts";
import { fail, unlessAway } from "../../(_shared)/fail.ts";
import { vmOf } from "../../(_shared)/vm.ts";

const { t } = textsOf(texts);

/** Intervals that are offered, in seconds, with their words. */
const INTERVALS = [
  [60, "replication.every_minute"],
  [300, "replication.every_5"],
  [900, "replication.every_15"],
  [3600, "replication.every_hour"],
  [86_400, "replication.every_day"],
] as const;

export const handler = define.handlers({
  async GET(ctx) {
    const { api } = ctx.state, vm = await vmOf(ctx);
    const hosts = (await api.listHosts().catch(fail)).filter(({ linked, isLocal }) =>
      !isLocal && linked !== undefined
    );
    const asked = ctx.state.refused?.typed.toHost ?? ctx.url.searchParams.get("toHost");
    const host = hosts.find(({ id }) => id === asked) ?? (hosts.length === 1 ? hosts[0] : undefined);
    if (host === undefined) return page({ vm, hosts, chosen: null });
    const at = { host: host.id };
    const [networks, replicas] = await Promise.all([
      api.getNetworks(at).catch(unlessAway),
      api.listReplicas().catch(fail),
    ]);
    // It was made of a replica here: its old host has it as it was
    const hasOld = replicas.some(({ vmId, state }) => vmId === vm.id && state === "promoted");
    return page({ vm, hosts, chosen: { host, networks, hasOld } });
  },
});

/** Replicating a VM: where to, and how often. */
export default define.page<typeof handler>(function Replicate({ data: { vm, hosts, chosen }, state }) {
  const here = `/vms/${encodeURIComponent(vm.id)}`, typed = state.refused?.typed ?? {};
  const title = t("replication.new_title", { name: oneLine(vm.name, 60) });
  const isHere = !hosts.some(({ id }) => id === vm.host), canBegin = isHere && hosts.length > 0;
  return (
    <>
      <Head>
        <title>{common("title.page", { page: title })}</title>
      </Head>
      <form
        class="panel narrow"
        {...chosen === null ? { method: "get" } : {
          method: "post",
          action: formHref(
            "create_replication",
            { vmId: vm.id, toHost: chosen.host.id },
            REPLICATION_PAGE,
            `${here}/replicate?toHost=${encodeURIComponent(chosen.host.id)}`,
          ),
        }}
      >
        <div class="dialog-body">
          <h1>{title}</h1>
          <p>{t("replication.new_what")}</p>
          <Flash tone="bad" failure={state.refused?.failure ?? null} />
          {!isHere && <Flash tone="warn">{t("replication.elsewhere")}</Flash>}
          {isHere && hosts.length === 0 && (
            <Empty icon="network" title={t("replication.no_hosts")}>
              <p>{t("replication.no_hosts_what")}</p>
              <a class="button" href="/settings/hosts">{t("replication.hosts")}</a>
            </Empty>
          )}
          {canBegin && chosen === null && <HostChoices legend={t("replication.new_host")} hosts={hosts} />}
          {canBegin && chosen !== null && (
            <>
              <h2>{oneLine(chosen.host.label, 60)}</h2>
              <SelectField
                name="everySeconds"
                label={t("replication.new_every")}
                value={typed.everySeconds ?? "900"}
                choices={INTERVALS.map(([seconds, word]) => ({ value: String(seconds), label: t(word) }))}
              />
              <TextField
                name="maxMibPerSecond"
                type="number"
                min={0}
                label={t("replication.new_limit")}
                hint={t("replication.new_limit_hint")}
                suffix="MiB/s"
                defaultValue={typed.maxMibPerSecond ?? "0"}
              />
              <NetworkRows
                own={ownNetworks(vm)}
                there={chosen.networks}
                host={oneLine(chosen.host.label, 60)}
                typed={typed}
              />
              {chosen.hasOld && (
                <CheckField
                  name="takeOld"
                  label={t("replication.new_old")}
                  hint={t("replication.new_old_hint")}
                  defaultChecked={typed.takeOld !== undefined}
                />
              )}
            </>
          )}
        </div>
        <footer class="dialog-foot">
          {chosen !== null && hosts.length > 1 && (
            <a class="button" href={`${here}/replicate`}>{t("replication.new_other")}</a>
          )}
          <a class="button" href={here}>{t("replication.cancel")}</a>
          {canBegin && (
            <button type="submit" class="button primary">
              {t(chosen === null ? "replication.new_look" : "replication.new_do")}
            </button>
          )}
        </footer>
      </form>
    </>
  );
});
