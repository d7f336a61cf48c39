import type { Insight } from "../../lib/contract/mod.ts";
import { insightHref, type InsightQuery, OF_HOSTS, passes } from "../../lib/insights/page_query.ts";
import { insights as texts } from "../../lib/i18n/en/insights.ts";
import { number, textsOf } from "../../lib/i18n/mod.ts";
import { Panel } from "../kit/Panel.tsx";

const { t } = textsOf(texts);

/** VMs that are shown: those with the most findings. */
const SHOWN = 20;

/** How many findings each VM has, as links to those alone. */
export function ByVm({ insights, query }: { insights: readonly Insight[]; query: InsightQuery }) {
  const counted = insights.filter((each) => passes({ ...query, vm: undefined }, each));
  const groups = [...Map.groupBy(counted, ({ vmId }) => vmId ?? OF_HOSTS)]
    .sort(([, a], [, b]) => b.length - a.length).slice(0, SHOWN);
  if (groups.length === 0) return null;
  return (
    <Panel title={t("insights.by_vm")}>
      <ul class="insight-vms">
        {groups.map(([vm, all]) => {
          const isChosen = query.vm === vm;
          return (
            <li key={vm}>
              <a
                href={insightHref({ ...query, vm: isChosen ? undefined : vm })}
                aria-current={isChosen ? "true" : undefined}
              >
                <bdi>{all[0]!.vmName ?? t("insights.host")}</bdi>
                <span class="count">{number(all.length)}</span>
              </a>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
