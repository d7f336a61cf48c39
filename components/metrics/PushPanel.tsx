import type { MetricPush } from "../../lib/contract/mod.ts";
import { PUSH_INTERVAL } from "../../lib/contract/metric_push.ts";
import { metrics } from "../../lib/i18n/en/metrics.ts";
import { number, textsOf } from "../../lib/i18n/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { formatMoment } from "../../lib/text/time.ts";
import { CheckField, Field, TextField } from "../kit/Field.tsx";
import { Flash } from "../kit/Flash.tsx";
import { Panel } from "../kit/Panel.tsx";

const { t } = textsOf(metrics);

/** Props of {@link PushPanel}. */
export interface PushPanelProps {
  push: MetricPush;
  /** Values of a refused form. */
  typed: Readonly<Record<string, string>> | undefined;
  errorAt: (field: string) => string | undefined;
  /** Address of the page. */
  at: string;
}

/** Target of the figures: the form, and the result of the last sending. */
export function PushPanel({ push, typed, errorAt, at }: PushPanelProps) {
  const { address, headers, trouble, nextTryAt, lastSentAt, lastPoints } = push;
  const isTicked = (name: "enabled" | "privateAddresses") =>
    typed === undefined ? push[name] : typed[name] === "yes";
  return (
    <Panel title={t("metrics.push")}>
      {trouble !== undefined && (
        <Flash tone="bad" title={t("metrics.push_trouble")}>
          {nextTryAt === undefined
            ? trouble
            : `${trouble}. ${t("metrics.push_next", { when: formatMoment(nextTryAt) })}`}
        </Flash>
      )}
      <p>{t("metrics.push_what")}</p>
      <form method="post" action={formHref("update_metric_push", {}, at)}>
        {/* A box that is not ticked says nothing. */}
        <input type="hidden" name="enabled" value="no" />
        <input type="hidden" name="privateAddresses" value="no" />
        <div class="form-grid">
          <CheckField
            label={t("metrics.push_enabled")}
            name="enabled"
            value="yes"
            defaultChecked={isTicked("enabled")}
            wide
          />
          <TextField
            label={t("metrics.push_url")}
            hint={address === null ? t("metrics.push_url_hint") : t("metrics.push_url_kept", { address })}
            name="url"
            type="url"
            maxLength={2048}
            again={typed !== undefined}
            error={errorAt("url")}
          />
          <TextField
            label={t("metrics.push_interval")}
            hint={t("metrics.push_interval_hint")}
            name="intervalSeconds"
            type="number"
            min={PUSH_INTERVAL.least}
            max={PUSH_INTERVAL.most}
            required
            defaultValue={typed?.intervalSeconds ?? push.intervalSeconds}
            error={errorAt("intervalSeconds")}
          />
          <Field
            wide
            label={t("metrics.push_headers")}
            hint={headers.length === 0
              ? t("metrics.push_headers_hint")
              : t("metrics.push_headers_kept", { names: headers.join(", ") })}
            error={errorAt("headers")}
            control={(ties) => (
              <textarea
                class="input xml-input"
                name="headers"
                rows={2}
                spellcheck={false}
                autocomplete="off"
                {...ties}
              />
            )}
          />
          {headers.length > 0 && (
            <CheckField label={t("metrics.push_clear_headers")} name="clearHeaders" value="yes" wide />
          )}
          <Field
            wide
            label={t("metrics.push_ca")}
            hint={t("metrics.push_ca_hint")}
            error={errorAt("ca")}
            control={(ties) => (
              <textarea
                class="input xml-input"
                name="ca"
                rows={2}
                spellcheck={false}
                value={typed?.ca ?? push.ca}
                {...ties}
              />
            )}
          />
          <CheckField
            label={t("metrics.push_private")}
            hint={t("metrics.push_private_hint")}
            name="privateAddresses"
            value="yes"
            defaultChecked={isTicked("privateAddresses")}
            wide
          />
        </div>
        <div class="form-actions">
          <button type="submit" class="button primary">{t("metrics.save")}</button>
        </div>
      </form>
      {address !== null && (
        <>
          <p>
            {lastSentAt === null
              ? t("metrics.push_never")
              : t("metrics.push_last", { when: formatMoment(lastSentAt), n: number(lastPoints) })}
          </p>
          <form method="post" action={formHref("test_metric_push", {}, at)}>
            <div class="form-actions">
              <button type="submit" class="button">{t("metrics.push_test")}</button>
            </div>
          </form>
        </>
      )}
    </Panel>
  );
}
