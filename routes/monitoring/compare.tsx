import { page } from "fresh";
import { Head } from "fresh/runtime";
import { Empty } from "../../components/kit/Empty.tsx";
import { Flash } from "../../components/kit/Flash.tsx";
import { MetricsTrouble } from "../../components/metrics/MetricsTrouble.tsx";
import Comparison from "../../islands/Comparison.tsx";
import { comparedBy, readComparison } from "../../lib/client/comparison.ts";
import { COMPARE, HOST_LINE, MOST_COMPARED } from "../../lib/metrics/compare_href.ts";
import { rangeQuery } from "../../lib/metrics/ranges.ts";
import { oneLine } from "../../lib/text/text.ts";
import { monitoring } from "../../lib/i18n/en/monitoring.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { unlessAway } from "../(_shared)/fail.ts";
import { monitoringQuery, unlessUnavailable } from "../(_shared)/monitoring.ts";

const texts = textsOf(monitoring);

/** Most VMs that can be chosen from without script; the list of VMs has all. */
const MOST_CHOICES = 300;

export const handler = define.handlers({
  async GET({ state, url }) {
    const now = Date.now(), query = monitoringQuery(url, now);
    const asked = [...new Set(url.searchParams.getAll("vm"))].filter((id) => id !== "");
    const vmIds = asked.slice(0, MOST_COMPARED);
    const metric = comparedBy(url.searchParams.get("metric")).id;
    const range = "window" in query.range && query.range.window === "live"
      ? { window: "1h" } as const
      : query.range;
    const { api } = state;
    const [read, all] = await Promise.all([
      unlessUnavailable(() => readComparison(api, vmIds, metric, range, now)),
      api.getVms().catch(unlessAway),
    ]);
    const vms = (all ?? []).filter(({ id }) => !vmIds.includes(id)).map(({ id, name }) => ({ id, name }))
      .sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true })).slice(0, MOST_CHOICES);
    const others = [
      ...(state.may("get_host_metrics") && !vmIds.includes(HOST_LINE)
        ? [{ id: HOST_LINE, name: texts.t("monitoring.compare_host", { name: state.hostname }) }]
        : []),
      ...vms,
    ];
    return page({ ...read, query: { range, parts: {} }, vmIds, asked: asked.length, metric, others });
  },
});

/** Several VMs in one graph. */
export default define.page<typeof handler>(function Compare({ data: shown, state }) {
  const { data, trouble, query, vmIds, asked, metric, others } = shown;
  return (
    <>
      <Head>
        <title>{t("title.page", { page: texts.t("monitoring.compare_title") })}</title>
      </Head>
      <header class="page-head">
        <h1>{texts.t("monitoring.compare_title")}</h1>
        {vmIds.length < MOST_COMPARED && others.length > 0 && (
          <form method="get" action={COMPARE} class="actions compare-add">
            {[
              ["metric", metric],
              ...Object.entries(rangeQuery(query.range)),
              ...vmIds.map((id) => ["vm", id]),
            ].map(
              ([name, value]) => <input key={`${name} ${value}`} type="hidden" name={name} value={value} />,
            )}
            <select class="input" name="vm" aria-label={texts.t("monitoring.compare_which")}>
              {others.map(({ id, name }) => <option key={id} value={id}>{oneLine(name, 60)}</option>)}
            </select>
            <button type="submit" class="button">{texts.t("monitoring.compare_add")}</button>
          </form>
        )}
      </header>
      {asked > MOST_COMPARED && (
        <Flash tone="warn" title={texts.t("monitoring.compare_most", { asked, n: MOST_COMPARED })} />
      )}
      {data === null
        ? <MetricsTrouble why={trouble ?? ""} user={state.user} />
        : vmIds.length === 0
        ? (
          <Empty icon="activity" title={texts.t("monitoring.compare_none")}>
            <p>{texts.t("monitoring.compare_none_what", { n: MOST_COMPARED })}</p>
            <a class="button primary" href="/vms">{texts.t("monitoring.compare_list")}</a>
          </Empty>
        )
        : <Comparison vmIds={vmIds} metric={metric} query={query} data={data} />}
    </>
  );
});
