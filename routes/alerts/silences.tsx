import { alertName } from "../../lib/alerts/name.ts";
import { CoverNote } from "../../components/coverage/CoverNote.tsx";
import { page } from "fresh";
import { AlertsPage } from "../../components/alerts/AlertsPage.tsx";
import { ScopeFields } from "../../components/alerts/ScopeFields.tsx";
import { DataTable } from "../../components/kit/DataTable.tsx";
import { SelectField, TextField } from "../../components/kit/Field.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { RowButton } from "../../components/kit/RowButton.tsx";
import {
  type Alert,
  type AlertSilence,
  SILENCE_REPEATS,
  type SilenceRepeat,
  type VM,
} from "../../lib/contract/mod.ts";
import { alerts as texts } from "../../lib/i18n/en/alerts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt, type RefusedForm, typedAgain } from "../../lib/text/refused_form.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatMoment } from "../../lib/text/time.ts";
import { fail, unlessAway } from "../(_shared)/fail.ts";

const { t } = textsOf(texts);
const AT = "/alerts/silences";
const MINUTES = ["60", "120", "240", "720", "1440", "10080"] as const;

export const handler = define.handlers({
  async GET({ state: { api } }) {
    const [silences, alerts, vms] = await Promise.all([
      api.listSilences().catch(fail),
      api.listAlerts().catch(fail),
      api.getVms().catch(unlessAway),
    ]);
    return page({ silences, alerts, vms: vms ?? [] });
  },
});

/** How often a silence holds, in words. */
const repeatWord = (repeat: SilenceRepeat | "never") => t(`alerts.repeat.${repeat}`);

/** Scope of a silence as a text. */
function wordOf(silence: AlertSilence, alerts: readonly Alert[], vms: readonly VM[]): string {
  const { scope, hostId = "", group = "", vmId = "", alertId } = silence;
  const alert = alertId === undefined
    ? t("alerts.silence_all")
    : alerts.filter(({ id }) => id === alertId).map(({ id, name }) => alertName(id, name))[0] ?? "–";
  if (scope === "everything") return oneLine(alert, 80);
  const name = { host: hostId, group, vm: vms.find(({ id }) => id === vmId)?.name ?? vmId }[scope];
  return `${oneLine(alert, 80)} · ${t(`alerts.scope.${scope}`, { name: oneLine(name, 60) })}`;
}

/** The form of a new silence. */
function NewSilence(
  { alerts, vms, refused, zone }: {
    alerts: readonly Alert[];
    vms: readonly VM[];
    refused: RefusedForm | null;
    zone: string;
  },
) {
  const typed = typedAgain(refused, "silence_alert") ?? {};
  const errorAt = (field: string) => refusalAt(refused, "silence_alert", field);
  return (
    <Panel title={t("alerts.silence_new")}>
      <form method="post" action={formHref("silence_alert", {}, AT)}>
        <p class="pad text-muted">{t("alerts.silence_what")}</p>
        <div class="form-grid">
          <SelectField
            label={t("alerts.silence_alert")}
            name="alertId"
            choices={[
              { value: "", label: t("alerts.silence_all") },
              ...alerts.map(({ id, name }) => ({ value: id, label: oneLine(alertName(id, name), 80) })),
            ]}
            value={typed.alertId ?? ""}
          />
          <ScopeFields
            values={typed}
            errorAt={errorAt}
            vms={vms}
            everything={t("alerts.scope.everything")}
          />
          <TextField
            label={t("alerts.starts")}
            hint={t("alerts.starts_hint", { zone: zone })}
            name="startsAt"
            type="datetime-local"
            defaultValue={typed.startsAt ?? ""}
            error={errorAt("startsAt")}
          />
          <SelectField
            label={t("alerts.minutes")}
            name="minutes"
            choices={MINUTES.map((value) => ({ value, label: t(`alerts.minutes.${value}`) }))}
            value={typed.minutes ?? "60"}
            error={errorAt("minutes")}
          />
          <SelectField
            label={t("alerts.repeat")}
            hint={t("alerts.repeat_hint")}
            name="repeat"
            choices={[
              { value: "", label: repeatWord("never") },
              ...SILENCE_REPEATS.map((value) => ({ value, label: repeatWord(value) })),
            ]}
            value={typed.repeat ?? ""}
            error={errorAt("repeat")}
          />
          <TextField
            label={t("alerts.reason")}
            name="reason"
            maxLength={200}
            defaultValue={typed.reason ?? ""}
            error={errorAt("reason")}
            wide
          />
        </div>
        <div class="form-actions">
          <button type="submit" class="button primary">{t("alerts.silence")}</button>
        </div>
      </form>
    </Panel>
  );
}

/** Silences and maintenance windows: what there is, and a new one. */
export default define.page<typeof handler>(function Silences({ data, state }) {
  const { silences, alerts, vms } = data;
  const mayAdd = state.may("silence_alert"), mayEnd = state.may("end_silence");
  return (
    <AlertsPage
      at={AT}
      mayCreate={state.may("create_alert")}
      maySetTargets={state.may("create_alert_target")}
    >
      <div class="settings-page">
        <Panel title={t("alerts.silences")}>
          <DataTable
            label={t("alerts.silences")}
            rows={silences}
            keyOf={({ id }) => id}
            empty={t("alerts.silences_none")}
            columns={[
              {
                title: t("alerts.about"),
                cell: (silence) => (
                  <>
                    <bdi>{wordOf(silence, alerts, vms)}</bdi>
                    <CoverNote of={silence} />
                  </>
                ),
              },
              { title: t("alerts.from"), cell: ({ startsAt }) => formatMoment(startsAt) },
              { title: t("alerts.until"), cell: ({ endsAt }) => formatMoment(endsAt) },
              { title: t("alerts.repeat"), cell: ({ repeat }) => repeatWord(repeat ?? "never") },
              {
                title: t("alerts.reason"),
                fit: "wrap",
                cell: ({ reason }) => reason && <bdi>{oneLine(reason)}</bdi>,
              },
              { title: t("alerts.by_whom"), cell: ({ by }) => oneLine(by, 40) },
              mayEnd && {
                title: t("alerts.actions"),
                kind: "actions",
                cell: (silence) => (
                  <RowButton
                    action={formHref("end_silence", { silenceId: silence.id }, AT)}
                    text={t("alerts.end")}
                    label={t("alerts.end_of", { what: wordOf(silence, alerts, vms) })}
                  />
                ),
              },
            ]}
          />
        </Panel>
        {mayAdd && <NewSilence alerts={alerts} vms={vms} refused={state.refused} zone={state.zone} />}
      </div>
    </AlertsPage>
  );
});
