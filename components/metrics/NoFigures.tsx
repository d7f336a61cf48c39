import { type PageRange } from "../../lib/metrics/ranges.ts";
import { monitoring } from "../../lib/i18n/en/monitoring.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Empty } from "../kit/Empty.tsx";

const texts = textsOf(monitoring);

/** Props of {@link NoFigures}. */
export interface NoFiguresProps {
  /** The page with a range that ends now. */
  href: string;
  range: PageRange;
  /** Seconds from one reading to the next. */
  interval: number;
  /** The state of the VM in words, where it does not run. */
  off?: string | undefined;
  ofHost?: boolean;
}

/** In place of graphs: why there are none, and what to do. */
export function NoFigures({ href, range, interval, off, ofHost = false }: NoFiguresProps) {
  const isPast = !("window" in range);
  return (
    <Empty icon="activity" title={texts.t(isPast ? "monitoring.none_here" : "monitoring.none")}>
      <p>
        {isPast
          ? texts.t(ofHost ? "monitoring.none_range_host" : "monitoring.none_range")
          : off === undefined
          ? texts.t("monitoring.none_soon", { n: interval })
          : texts.t("monitoring.none_off", { state: off })}
      </p>
      {isPast && <a class="button" href={href}>{texts.t("monitoring.show_day")}</a>}
    </Empty>
  );
}
