import { page } from "fresh";
import { Head } from "fresh/runtime";
import { MetricsTrouble } from "../../components/metrics/MetricsTrouble.tsx";
import Monitoring from "../../islands/Monitoring.tsx";
import { markKinds } from "../../lib/metrics/marks.ts";
import { markWords } from "../../lib/vm/activity.ts";
import { MARKED_COMMANDS } from "../../lib/contract/marked_commands.ts";
import { monitoring } from "../../lib/i18n/en/monitoring.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { unlessAway } from "../(_shared)/fail.ts";
import { shownMonitoring } from "../(_shared)/monitoring.ts";

const texts = textsOf(monitoring);

export const handler = define.handlers({
  async GET({ state: { api, host }, url }) {
    const [shown, info, stats] = await Promise.all([
      shownMonitoring(api, { hostId: host }, url),
      api.getHostInfo().catch(unlessAway),
      api.getHostStats().catch(unlessAway),
    ]);
    return page({ ...shown, host: info && stats && { threads: info.cpuThreads, stats } });
  },
});

/** Page of the host's graphs. */
export default define.page<typeof handler>(function HostMonitoring({ data, state }) {
  const { query, data: read, trouble, host, now } = data;
  return (
    <>
      <Head>
        <title>{t("title.page", { page: texts.t("monitoring.of_host") })}</title>
      </Head>
      <header class="page-head">
        <h1>{texts.t("monitoring.of_host")}</h1>
        <span class="count">
          <bdi>{state.hostname}</bdi>
        </span>
      </header>
      {read === null ? <MetricsTrouble why={trouble ?? ""} user={state.user} /> : (
        <Monitoring
          {...(host && { host })}
          path="/monitoring"
          query={query}
          data={read}
          markedCommands={MARKED_COMMANDS}
          markWords={markWords(markKinds(MARKED_COMMANDS))}
          now={now}
        />
      )}
    </>
  );
});
