import { seriesWord } from "../../lib/alerts/words.ts";
import type { FindingGraphData as Graph } from "../../lib/insights/graph.ts";
import { insights as texts } from "../../lib/i18n/en/insights.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { areaPath, linePath, PICTURE } from "../../lib/metrics/picture.ts";
import { ceilingOf } from "../../lib/metrics/scale.ts";
import { formatFigure } from "../../lib/text/figure.ts";
import { oneLine } from "../../lib/text/text.ts";

const { t } = textsOf(texts);

/** The course of what a finding is about. Its words say what the picture shows. */
export function FindingGraph({ graph }: { graph: Graph }) {
  const { line, label, unit, highest, mean } = graph;
  // 5 % that fill a graph would look like a host on its knees
  const ceiling = Math.max(unit === "percent" ? 100 : 0, ceilingOf(unit, highest));
  return (
    <figure class="insight-graph">
      <svg viewBox={`0 0 ${PICTURE.width} ${PICTURE.height}`} preserveAspectRatio="none" aria-hidden="true">
        <path class="insight-graph-area" d={areaPath(line, ceiling)} />
        <path class="insight-graph-line" d={linePath(line, ceiling)} vector-effect="non-scaling-stroke" />
      </svg>
      <figcaption class="text-muted">
        {t("insights.graph_words", {
          series: label === undefined
            ? seriesWord(line.name)
            : `${seriesWord(line.name)} ${oneLine(label, 64)}`,
          mean: formatFigure(unit, mean),
          highest: formatFigure(unit, highest),
          ceiling: formatFigure(unit, ceiling),
        })}
      </figcaption>
    </figure>
  );
}
