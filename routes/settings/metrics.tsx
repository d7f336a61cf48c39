import { page } from "fresh";
import { SettingsPage } from "../../components/access/SettingsPage.tsx";
import { DataTable } from "../../components/kit/DataTable.tsx";
import { CheckField, TextField } from "../../components/kit/Field.tsx";
import { Flash } from "../../components/kit/Flash.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { PushPanel } from "../../components/metrics/PushPanel.tsx";
import type { MetricFigures } from "../../lib/contract/mod.ts";
import { metrics } from "../../lib/i18n/en/metrics.ts";
import { number, type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt, typedAgain } from "../../lib/text/refused_form.ts";
import { formatBytes } from "../../lib/text/quantity.ts";
import { formatMoment } from "../../lib/text/time.ts";
import { fail } from "../(_shared)/fail.ts";

const { t } = textsOf(metrics);
const AT = "/settings/metrics";

/** Days of each resolution, from fine to coarse. */
const DAYS = [
  { name: "rawDays", label: "metrics.raw_days" },
  { name: "minuteDays", label: "metrics.minute_days" },
  { name: "quarterHourDays", label: "metrics.quarter_hour_days" },
  { name: "days", label: "metrics.days" },
] as const;

const RESOLUTIONS: Readonly<
  Record<MetricFigures["resolutions"][number]["resolution"], PlainKeyOf<typeof metrics>>
> = {
  "raw": "metrics.of.raw",
  "1m": "metrics.of.1m",
  "15m": "metrics.of.15m",
  "1h": "metrics.of.1h",
};

export const handler = define.handlers({
  async GET({ state }) {
    const [retention, push] = await Promise.all([state.api.getRetentionPolicy(), state.api.getMetricPush()])
      .catch(fail);
    return page({ retention, push });
  },
});

/** How long figures are kept, and what they take up. */
export default define.page<typeof handler>(
  function MetricsPage({ data: { retention, push }, state }) {
    const typed = typedAgain(state.refused, "update_retention_policy");
    const errorAt = (field: string) => refusalAt(state.refused, "update_retention_policy", field);
    const { figures, trouble, held, lastCleanup, intervalSeconds } = retention;
    const hints: Readonly<Record<string, string>> = {
      rawDays: t("metrics.raw_hint", { n: intervalSeconds }),
      days: t("metrics.days_hint"),
    };
    return (
      <SettingsPage at={AT} user={state.user}>
        {trouble !== undefined && <Flash tone="bad" title={t("metrics.trouble")}>{trouble}</Flash>}
        <Panel title={t("metrics.kept")}>
          <form method="post" action={formHref("update_retention_policy", {}, AT)}>
            {/* A box that is not ticked says nothing. */}
            <input type="hidden" name="enabled" value="no" />
            <div class="form-grid">
              <CheckField
                label={t("metrics.enabled")}
                name="enabled"
                value="yes"
                defaultChecked={typed === undefined ? retention.enabled : typed.enabled === "yes"}
                wide
              />
              {DAYS.map(({ name, label }) => (
                <TextField
                  key={name}
                  label={t(label)}
                  hint={hints[name]}
                  name={name}
                  type="number"
                  min={1}
                  max={365}
                  required
                  defaultValue={typed?.[name] ?? retention[name]}
                  error={errorAt(name)}
                />
              ))}
              <TextField
                label={t("metrics.hour")}
                hint={t("metrics.hour_hint")}
                name="cleanupHour"
                type="number"
                min={0}
                max={23}
                required
                defaultValue={typed?.cleanupHour ?? retention.cleanupHour}
                error={errorAt("cleanupHour")}
              />
            </div>
            <div class="form-actions">
              <button type="submit" class="button primary">{t("metrics.save")}</button>
            </div>
          </form>
        </Panel>
        <Panel title={t("metrics.stored")}>
          {figures === null ? <p>{t("metrics.unknown")}</p> : (
            <>
              <DataTable
                label={t("metrics.stored")}
                rows={figures.resolutions}
                keyOf={({ resolution }) => resolution}
                empty={t("metrics.none")}
                columns={[
                  { title: t("metrics.resolution"), cell: ({ resolution }) => t(RESOLUTIONS[resolution]) },
                  { title: t("metrics.points"), cell: ({ points }) => number(points) },
                  { title: t("metrics.size"), cell: ({ bytes }) => formatBytes(bytes) },
                  {
                    title: t("metrics.oldest"),
                    cell: ({ oldest }) => oldest === null ? "–" : formatMoment(oldest),
                  },
                ]}
              />
              <p>
                {t("metrics.file", {
                  size: formatBytes(figures.bytes),
                  free: formatBytes(figures.freeBytes),
                  n: number(figures.series),
                })}
              </p>
            </>
          )}
          <p>
            {held ??
              (lastCleanup === null
                ? t("metrics.never")
                : t("metrics.last", { when: formatMoment(lastCleanup) }))}
          </p>
          <form method="post" action={formHref("execute_cleanup", {}, AT)}>
            <div class="form-actions">
              <button type="submit" class="button">{t("metrics.run")}</button>
            </div>
          </form>
        </Panel>
        <PushPanel
          push={push}
          typed={typedAgain(state.refused, "update_metric_push")}
          errorAt={(field) => refusalAt(state.refused, "update_metric_push", field)}
          at={AT}
        />
      </SettingsPage>
    );
  },
);
