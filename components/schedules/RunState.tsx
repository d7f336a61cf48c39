import type { ScheduleRun } from "../../lib/contract/mod.ts";
import { RUN_LOOKS } from "../../lib/schedules/describe.ts";
import { schedules } from "../../lib/i18n/en/schedules.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";

const { t } = textsOf(schedules);

/** How a run went, as icon, word and colour. */
export function RunState({ run: { state } }: { run: Pick<ScheduleRun, "state"> }) {
  const { word, icon, tone } = RUN_LOOKS[state];
  return (
    <span class="state" data-tone={tone}>
      <Icon name={icon} />
      <span class="state-word">{t(word)}</span>
    </span>
  );
}
