import { monitoring } from "../../lib/i18n/en/monitoring.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import type { PageUser } from "../../lib/page_state.ts";
import { Flash } from "../kit/Flash.tsx";

const texts = textsOf(monitoring);

/** Props of {@link MetricsTrouble}. */
export interface MetricsTroubleProps {
  why: string;
  /** The present user: administrators see the settings of metrics. */
  user: PageUser | null;
}

/** In place of graphs: why metrics cannot be read at the moment, and what to do. */
export function MetricsTrouble({ why, user }: MetricsTroubleProps) {
  return (
    <Flash
      tone="bad"
      title={texts.t("monitoring.unavailable")}
      actions={user?.administrator && (
        <a class="button" href="/settings/metrics">{texts.t("monitoring.settings")}</a>
      )}
    >
      {why} {texts.t("monitoring.unavailable_todo")}
    </Flash>
  );
}
