import { page } from "fresh";
import { Head } from "fresh/runtime";
import { Empty } from "../components/kit/Empty.tsx";
import ActivityFeed from "../islands/ActivityFeed.tsx";
import HostPanel from "../islands/HostPanel.tsx";
import MachinesPanel from "../islands/MachinesPanel.tsx";
import ReloadWhenBack from "../islands/ReloadWhenBack.tsx";
import { fullestPool } from "../lib/storage/fullest.ts";
import { summarise } from "../lib/vm/summary.ts";
import { t } from "../lib/i18n/mod.ts";
import { define } from "../lib/page_state.ts";
import { unlessAway } from "./(_shared)/fail.ts";
import { liveSeedOf } from "./(_shared)/monitoring.ts";

const ACTIVITY = 12;

export const handler = define.handlers({
  async GET({ state }) {
    const { api } = state, maySeeVms = state.may("get_vms"), maySeeHost = state.may("get_host_metrics");
    const [host, stats, vms, activity, seed, alerts, hangs, pools] = await Promise.all([
      maySeeHost ? api.getHostInfo().catch(unlessAway) : null,
      maySeeHost ? api.getHostStats().catch(unlessAway) : null,
      maySeeVms ? api.getVms().catch(unlessAway) : null,
      api.getActivity({ limit: ACTIVITY }).catch(unlessAway),
      maySeeHost ? liveSeedOf(api, {}) : [],
      api.getAlertSummary().catch(unlessAway),
      api.listHangs().catch(unlessAway),
      state.may("get_storage_pools") ? api.getStoragePools().catch(unlessAway) : null,
    ]);
    const pool = fullestPool(pools ?? []);
    return page({
      host,
      stats,
      seed,
      alerts,
      hangs,
      pool,
      summary: vms && summarise(vms),
      maySeeVms,
      maySeeHost,
      activity,
      now: Date.now(),
    });
  },
});

/** The host at a glance. */
export default define.page<typeof handler>(function Dashboard({ data, state }) {
  const { host, stats, seed, alerts, hangs, pool, summary, activity, now, maySeeVms, maySeeHost } = data;
  return (
    <>
      <Head>
        <title>{t("title.page", { page: t("nav.dashboard") })}</title>
      </Head>
      <header class="page-head">
        <h1>
          <bdi>{state.hostname}</bdi>
        </h1>
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
            now={now}
            mayHealth={state.may("get_host_health")}
            mayCreate={state.may("create_vm")}
          />
        )}
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
        {activity && <ActivityFeed entries={activity} now={now} limit={ACTIVITY} />}
      </div>
    </>
  );
});
