import {
  type Insight,
  INSIGHT_CATEGORIES,
  INSIGHT_SEVERITIES,
  INSIGHT_WINDOWS,
} from "../../lib/contract/mod.ts";
import { insightHref, type InsightQuery, passes } from "../../lib/insights/page_query.ts";
import { insights as texts } from "../../lib/i18n/en/insights.ts";
import { number, textsOf } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";
import { SEVERITY_LOOKS } from "./FindingList.tsx";

const { t } = textsOf(texts);

/** The ranges, as links. */
export function WindowLinks({ query }: { query: InsightQuery }) {
  return (
    <nav class="segments" aria-label={t("insights.range")}>
      {INSIGHT_WINDOWS.map((window) => (
        <a
          key={window}
          class="segment words"
          href={insightHref({ ...query, window })}
          aria-current={query.window === window ? "true" : undefined}
        >
          {t(`insights.window.${window}`)}
        </a>
      ))}
    </nav>
  );
}

/** Filters by severity and category, as links with counts. One that is chosen is left by choosing it again. */
export function InsightFilters({ insights, query }: { insights: readonly Insight[]; query: InsightQuery }) {
  const count = (change: Partial<InsightQuery>) =>
    insights.filter((each) => passes({ ...query, ...change }, each)).length;
  return (
    <div class="tools">
      <nav class="chips" aria-label={t("insights.severity")}>
        {INSIGHT_SEVERITIES.map((severity) => {
          const isChosen = query.severity === severity, { icon, tone, word } = SEVERITY_LOOKS[severity];
          return (
            <a
              key={severity}
              class="chip"
              href={insightHref({ ...query, severity: isChosen ? undefined : severity })}
              aria-current={isChosen ? "true" : undefined}
            >
              <span class="state" data-tone={tone}>
                <Icon name={icon} />
              </span>
              {t(word)} <span class="chip-count">{number(count({ severity }))}</span>
            </a>
          );
        })}
      </nav>
      <nav class="chips" aria-label={t("insights.category")}>
        {INSIGHT_CATEGORIES.map((category) => {
          const isChosen = query.category === category;
          return (
            <a
              key={category}
              class="chip"
              href={insightHref({ ...query, category: isChosen ? undefined : category })}
              aria-current={isChosen ? "true" : undefined}
            >
              {t(`insights.category.${category}`)}{" "}
              <span class="chip-count">{number(count({ category }))}</span>
            </a>
          );
        })}
      </nav>
    </div>
  );
}
