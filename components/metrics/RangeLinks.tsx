import { monitoringHref, type MonitoringQuery } from "../../lib/client/monitoring.ts";
import { PAGE_WINDOWS, type PageWindow } from "../../lib/metrics/ranges.ts";
import { formatMoment } from "../../lib/text/time.ts";
import { monitoring } from "../../lib/i18n/en/monitoring.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";

const texts = textsOf(monitoring);

const WORDS: Readonly<Record<PageWindow, PlainKeyOf<typeof monitoring>>> = {
  "live": "monitoring.range.live",
  "1h": "monitoring.range.1h",
  "6h": "monitoring.range.6h",
  "24h": "monitoring.range.24h",
  "7d": "monitoring.range.7d",
  "30d": "monitoring.range.30d",
};

/** Props of {@link RangeLinks}. */
export interface RangeLinksProps {
  path: string;
  query: MonitoringQuery;
  /** Other parameters of the address. */
  more?: readonly (readonly [string, string])[];
  /** Ranges that there are. */
  windows?: readonly PageWindow[];
}

/** Ranges that end now, as links; one that was dragged is shown next to them. */
export function RangeLinks({ path, query, more, windows = PAGE_WINDOWS }: RangeLinksProps) {
  const { range } = query;
  return (
    <>
      <nav class="segments" aria-label={texts.t("monitoring.ranges")}>
        {windows.map((window) => (
          <a
            key={window}
            class="segment words"
            href={monitoringHref(path, { ...query, range: { window } }, more)}
            aria-current={"window" in range && range.window === window ? "true" : undefined}
          >
            {texts.t(WORDS[window])}
          </a>
        ))}
      </nav>
      {!("window" in range) && (
        <span class="count" data-range>
          {texts.t("monitoring.between", { from: formatMoment(range.from), to: formatMoment(range.to) })}
        </span>
      )}
    </>
  );
}
