import { page } from "fresh";
import { Head } from "fresh/runtime";
import { HostsPanel } from "../components/host/HostsPanel.tsx";
import { Empty } from "../components/kit/Empty.tsx";
import ActivityFeed from "../islands/ActivityFeed.tsx";
import HostPanel from "../islands/HostPanel.tsx";
import MachinesPanel from "../islands/MachinesPanel.tsx";
import ReloadWhenBack from "../islands/ReloadWhenBack.tsx";
import { LOCAL_HOST } from "../lib/contract/local_host.ts";
import { briefHosts } from "../lib/host/brief.ts";
import { enabledHosts } from "../lib/host/states.ts";
import { fullestPool } from "../lib/storage/fullest.ts";
import { withoutOwnConsoles } from "../lib/vm/activity.ts";
import { withLinks } from "../lib/vm/activity_links.ts";
import { summarise } from "../lib/vm/summary.ts";
import { t } from "../lib/i18n/mod.ts";
import { define } from "../lib/page_state.ts";
import { unlessAway } from "./(_shared)/fail.ts";
import { networkLack, storageLack } from "./(_shared)/ready.ts";
import { liveSeedOf } from "./(_shared)/monitoring.ts";

/** Entries that are shown, and that are read: some are left out. */
const ACTIVITY = 12, ACTIVITY_READ = 60;

export const handler = define.handlers({
  async GET({ state }) {
    const { api } = state, maySeeVms = state.may("get_vms"), maySeeHost = state.may("get_host_metrics");
    const [host, stats, vms, activity, seed, alerts, hangs, pools, networks, hosts] = await Promise.all([
      maySeeHost ? api.getHostInfo().catch(unlessAway) : null,
      maySeeHost ? api.getHostStats().catch(unlessAway) : null,
      maySeeVms ? api.getVms().catch(unlessAway) : null,
      api.getActivity({ limit: ACTIVITY_READ }).catch(unlessAway),
      maySeeHost ? liveSeedOf(api, {}) : [],
      api.getAlertSummary().catch(unlessAway),
      api.listHangs().catch(unlessAway),
      state.may("get_storage_pools") ? api.getStoragePools().catch(unlessAway) : null,
      state.may("get_networks") ? api.getNetworks().catch(unlessAway) : null,
      state.host === LOCAL_HOST ? api.listHosts().then(enabledHosts) : [],
    ]);
    const told = activity && withLinks(activity, vms ?? []), pool = fullestPool(pools ?? []);
    const lacks = [
      pools && storageLack(state, pools, "/"),
      networks && await networkLack(state, networks, "/", host?.attention ?? []),
    ]
      .flatMap((lack) => lack && host?.attention.includes(lack.sentence) ? [lack] : []);
    return page({
      hosts,
      lacks,
      host,
      stats,
      seed,
      alerts,
      hangs,
      pool,
      summary: vms && summarise(vms),
      maySeeVms,
      maySeeHost,
      activity: told &&
        (state.user === null ? told : withoutOwnConsoles(told, state.user.name)).slice(0, ACTIVITY),
      now: Date.now(),
    });
  },
});

/** The host at a glance. */
export default define.page<typeof handler>(function Dashboard({ data, state }) {
  const { hosts, host, stats, seed, alerts, hangs, pool, lacks, summary, activity, now } = data;
  const { maySeeVms, maySeeHost } = data;
  return (
    <>
      <Head>
        <title>{t("title.page", { page: t("nav.dashboard") })}</title>
      </Head>
      <header class="page-head">
        <h1>{t("nav.dashboard")}</h1>
        <span class="count">
          <bdi>{state.hostname}</bdi>
        </span>
      </header>
      <div class="dashboard">
        {!maySeeVms && (
          <Empty icon="circleHelp" title={t("dashboard.no_vms_right")}>
            <p>{t("dashboard.no_vms_right_what", { name: state.user?.name ?? "" })}</p>
          </Empty>
        )}
        {summary && (
          <MachinesPanel
            summary={summary}
            connection={state.connection}
            host={host}
            stats={stats}
            pool={pool}
            maySeePools={state.may("get_storage_pools")}
            alerts={alerts}
            hangs={hangs}
            lacks={lacks}
            hosts={briefHosts(hosts)}
            now={now}
            mayHealth={state.host === LOCAL_HOST && state.may("get_host_health")}
            mayCreate={state.may("create_vm")}
          />
        )}
        {hosts.length > 1 && <HostsPanel hosts={hosts} now={now} />}
        {host && stats && (
          <HostPanel
            host={host}
            stats={stats}
            seed={seed}
            now={now}
            hasMonitoring={maySeeHost}
          />
        )}
        {!((host && stats || !maySeeHost) && (summary || !maySeeVms)) && !state.connection.connected && (
          <ReloadWhenBack />
        )}
        {activity && <ActivityFeed entries={activity} now={now} limit={ACTIVITY} self={state.user?.name} />}
      </div>
    </>
  );
});
