import { monitoringHref, type MonitoringQuery } from "../../lib/client/monitoring.ts";
import type { MetricPart } from "../../lib/contract/metric_series.ts";
import { oneLine } from "../../lib/text/text.ts";
import { monitoring } from "../../lib/i18n/en/monitoring.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";

const texts = textsOf(monitoring);

const WORDS: Readonly<Record<MetricPart, PlainKeyOf<typeof monitoring>>> = {
  vcpu: "monitoring.part.vcpu",
  disk: "monitoring.part.disk",
  nic: "monitoring.part.nic",
  pool: "monitoring.part.pool",
  sensor: "monitoring.part.sensor",
  filesystem: "monitoring.part.filesystem",
};

/** Props of {@link PartLinks}. */
export interface PartLinksProps {
  path: string;
  query: MonitoringQuery;
  of: MetricPart;
  /** The graph that they are of. */
  title: string;
  labels: readonly string[];
  /** Text of the choice of all parts. */
  together: "monitoring.all" | "monitoring.busiest";
}

/** Disks, cards or sensors, to look at one alone. Nothing where there is one of them. */
export function PartLinks({ path, query, of, title, labels, together }: PartLinksProps) {
  if (labels.length < 2) return null;
  const { [of]: chosen, ...others } = query.parts;
  const isKnown = chosen !== undefined && labels.includes(chosen);
  const entries = [
    { label: undefined, text: texts.t(together) },
    ...labels.map((label) => ({ label, text: oneLine(label, 40) })),
  ];
  return (
    <nav class="chips history-parts" aria-label={`${title}: ${texts.t(WORDS[of])}`}>
      {entries.map(({ label, text }) => (
        <a
          key={label ?? ""}
          class="chip"
          href={monitoringHref(path, {
            ...query,
            parts: label === undefined ? others : { ...others, [of]: label },
          })}
          aria-current={(isKnown ? label === chosen : label === undefined) ? "true" : undefined}
        >
          <bdi>{text}</bdi>
        </a>
      ))}
    </nav>
  );
}
