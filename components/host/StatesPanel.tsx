import { DEFAULT_QUERY, listHref, type StateFilter } from "../../lib/vm/list_query.ts";
import { STATE_ORDER, STATES } from "../../lib/vm/state.ts";
import { number, t } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";
import { Panel } from "../kit/Panel.tsx";

/** How many VMs are in which state; each a link to them. */
export function StatesPanel({ counts, mayCreate }: {
  counts: Readonly<Record<StateFilter, number>>;
  /** Whether they may create VMs: they are told how. */
  mayCreate: boolean;
}) {
  return (
    <Panel
      title={t("nav.vms")}
      aside={<a href="/vms">{t("dashboard.all", { total: number(counts.all) })}</a>}
    >
      {counts.all === 0
        ? (
          <div class="pad">
            <p>{t("empty.vms_what")}</p>
            {mayCreate
              ? (
                <ol class="first-steps" aria-label={t("empty.steps")}>
                  <li>
                    <a href="/images">{t("empty.step_image")}</a>
                  </li>
                  <li>
                    <a href="/vms/new">{t("empty.step_create")}</a>
                  </li>
                  <li>{t("empty.step_console")}</li>
                </ol>
              )
              : <p class="text-muted">{t("empty.vms_first")}</p>}
          </div>
        )
        : (
          <ul class="states">
            {STATE_ORDER.map((state) => (
              <li key={state}>
                <a
                  class="state-count"
                  href={listHref(DEFAULT_QUERY, { state })}
                  data-none={counts[state] === 0 ? "" : undefined}
                >
                  <span class="state" data-tone={STATES[state].tone}>
                    <Icon name={STATES[state].icon} />
                    <span class="state-word">{t(STATES[state].word)}</span>
                  </span>
                  <b>{number(counts[state])}</b>
                </a>
              </li>
            ))}
          </ul>
        )}
    </Panel>
  );
}
