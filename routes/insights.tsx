import { page } from "fresh";
import { Head } from "fresh/runtime";
import { ByVm } from "../components/insights/ByVm.tsx";
import { FindingList } from "../components/insights/FindingList.tsx";
import { InsightFilters, WindowLinks } from "../components/insights/InsightFilters.tsx";
import { Empty } from "../components/kit/Empty.tsx";
import { Flash } from "../components/kit/Flash.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import type { HostSeriesName, Insight, VmSeriesName } from "../lib/contract/mod.ts";
import { insights as texts } from "../lib/i18n/en/insights.ts";
import { placement } from "../lib/i18n/en/placement.ts";
import { oneLine } from "../lib/text/text.ts";
import { number, t as common, textsOf } from "../lib/i18n/mod.ts";
import { findingGraph, type FindingGraphData } from "../lib/insights/graph.ts";
import {
  insightHref,
  type InsightQuery,
  insightQueryIn,
  passes,
  undoIn,
} from "../lib/insights/page_query.ts";
import type { Api } from "../lib/contract/api.ts";
import { define } from "../lib/page_state.ts";
import { formatMemory } from "../lib/text/quantity.ts";
import { formatMoment } from "../lib/text/time.ts";
import { fail, unlessAway } from "./(_shared)/fail.ts";

const { t, plural } = textsOf(texts), { t: tPlacement } = textsOf(placement);

export const handler = define.handlers({
  async GET({ state, url }) {
    const query = insightQueryIn(url);
    const [report, rules] = await Promise.all([
      state.api.analyzeAllVms({ window: query.window }).catch(fail),
      state.may("list_placement_rules") ? state.api.listPlacementRules().catch(unlessAway) : null,
    ]);
    const broken = (rules ?? []).flatMap(({ broken: each }) => each);
    const undo = undoIn(url, query);
    const vm = undo && await state.api.getVm({ vmId: undo.vmId }).catch(fail);
    const shown = report.insights.filter((each) => passes(query, each));
    return page({ query, report, shown, broken, graphs: await graphsOf(state.api, shown, query), undo, vm });
  },
});

/** Findings that get a graph: the worst, which stand first. Each is a question to the store. */
const MOST_GRAPHS = 12;

/** The graphs of findings, by their ids. A store that does not answer leaves them out: the findings are there all the same. */
async function graphsOf(
  api: Api,
  insights: readonly Insight[],
  { window }: InsightQuery,
): Promise<Map<string, FindingGraphData>> {
  const drawn = insights.filter(({ series }) => series.length > 0).slice(0, MOST_GRAPHS);
  const found = await Promise.all(drawn.map(async ({ id, vmId, host, series: [first] }) => {
    const asked = { window, ...(first!.label !== undefined && { label: first!.label }) };
    const history = vmId === undefined
      ? await api.getHostMetrics({ ...asked, series: [first!.name as HostSeriesName], ...(host && { host }) })
        .catch(unlessAway)
      : await api.getHistoricalMetrics({ ...asked, vmId, series: [first!.name as VmSeriesName] })
        .catch(unlessAway);
    const graph = history === null ? undefined : findingGraph(history);
    return graph === undefined ? [] : [[id, graph] as const];
  }));
  return new Map(found.flat());
}

/** vCPUs and memory that undoing a change restores, as a text. */
function undoText(fields: readonly (readonly [string, number])[]): string {
  const values = new Map(fields);
  const cpus = values.get("cpu.count"), memory = values.get("memory.currentMb");
  return [
    cpus !== undefined && plural("insights.undo_cpus", cpus),
    memory !== undefined && formatMemory(memory),
  ].filter((each) => each !== false).join(", ");
}

/** Page of the insights: counts, filters, findings, and changes that can be applied. */
export default define.page<typeof handler>(function Insights({ data, state }) {
  const { query, report, shown, broken, graphs, undo, vm } = data;
  const { insights, vms, tooFew, unread, analysedAt } = report;
  const looked = plural("insights.looked", vms, { window: t(`insights.window.${query.window}`) });
  return (
    <>
      <Head>
        <title>{common("title.page", { page: t("insights.title") })}</title>
      </Head>
      <header class="page-head">
        <h1>{t("insights.title")}</h1>
        <WindowLinks query={query} />
      </header>
      {undo && vm && (
        <Flash
          tone="info"
          title={t("insights.applied", { name: vm.name })}
          actions={
            <form method="post" action={undo.href}>
              <button type="submit" class="button">
                {t("insights.undo", { what: undoText(undo.fields) })}
              </button>
            </form>
          }
        >
          {t("insights.applied_hint")}
        </Flash>
      )}
      {unread !== undefined && <Flash tone="bad" title={t("insights.unread")}>{unread}</Flash>}
      {broken.length > 0 && (
        <Flash
          tone="warn"
          title={tPlacement("placement.broken_rules")}
          actions={<a class="button" href="/settings/placement">{tPlacement("placement.title")}</a>}
        >
          {broken.map((text) => oneLine(text, 300)).join(" · ")}
        </Flash>
      )}
      {tooFew.length > 0 && (
        <Flash tone="info" title={t("insights.too_few")}>{plural("insights.too_few", tooFew.length)}</Flash>
      )}
      <InsightFilters insights={insights} query={query} />
      <div class="insight-page">
        <Panel title={t("insights.findings")} aside={<span class="count">{number(shown.length)}</span>}>
          {shown.length > 0
            ? (
              <FindingList
                insights={shown}
                query={query}
                graphs={graphs}
                mayCreateBackups={state.may("create_backup")}
              />
            )
            : (
              <Empty icon="check" title={t("insights.none")}>
                <p>
                  {insights.length === 0 ? looked : plural("insights.none_filtered", insights.length)}
                </p>
                {insights.length > 0 && (
                  <a class="button" href={insightHref({ window: query.window })}>{t("insights.show_all")}</a>
                )}
              </Empty>
            )}
        </Panel>
        <aside class="insight-aside" aria-label={t("insights.by_vm")}>
          <ByVm insights={insights} query={query} />
          <p class="text-muted">{t("insights.when", { when: formatMoment(analysedAt) })}</p>
          {insights.length > 0 && <p class="text-muted">{looked}</p>}
        </aside>
      </div>
    </>
  );
});
