import { page } from "fresh";
import { SettingsPage } from "../../../components/access/SettingsPage.tsx";
import { TargetFields } from "../../../components/alerts/TargetFields.tsx";
import { DataTable, stacked } from "../../../components/kit/DataTable.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import { RelativeTime } from "../../../components/kit/RelativeTime.tsx";
import { RowButton } from "../../../components/kit/RowButton.tsx";
import { SwitchForm } from "../../../components/kit/SwitchForm.tsx";
import { LOCAL_HOST } from "../../../lib/contract/local_host.ts";
import { ALERT_CHANNELS, type AlertTarget } from "../../../lib/contract/mod.ts";
import { alerts as texts } from "../../../lib/i18n/en/alerts.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { refusalAt, typedAgain } from "../../../lib/text/refused_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { fail } from "../../(_shared)/fail.ts";

const { t } = textsOf(texts);
const AT = "/settings/alert-targets";

export const handler = define.handlers({
  async GET({ state, url }) {
    const asked = url.searchParams.get("channel");
    const targets = await state.api.listAlertTargets().catch(fail);
    // Of a linked host, its own page alone knows which KVM Managers may act there
    const isAsked = targets.some(({ peerId }) => peerId !== undefined) && state.host === LOCAL_HOST &&
      state.may("list_peers");
    const peers = isAsked ? await state.api.listPeers().catch(fail) : undefined;
    return page({
      targets,
      peers: peers && new Set(peers.map(({ id }) => id)),
      channel: ALERT_CHANNELS.find((channel) => channel === asked) ?? "email",
      now: Date.now(),
    });
  },
});

/** How it went lately. */
function Last({ target: { lastSentAt, lastError, waiting }, now }: { target: AlertTarget; now: number }) {
  return (
    <span class="stack">
      {lastError === undefined
        ? lastSentAt === undefined ? t("alerts.last_never") : <RelativeTime at={lastSentAt} now={now} />
        : <span class="error-text">{oneLine(lastError, 200)}</span>}
      {waiting > 0 && <span class="text-muted">{t("alerts.waiting_n", { n: waiting })}</span>}
    </span>
  );
}

/** Page of the targets that alerts are sent to. */
export default define.page<typeof handler>(function AlertTargets({ data, state }) {
  const { targets, peers, channel, now } = data;
  const typed = typedAgain(state.refused, "create_alert_target");
  return (
    <SettingsPage at={AT} user={state.user}>
      <Panel title={t("alerts.targets")}>
        <DataTable
          label={t("alerts.targets")}
          rows={targets}
          keyOf={({ id }) => id}
          attributesOf={({ name }) => ({ "data-target": name })}
          empty={t("alerts.targets_none")}
          columns={[
            { title: t("alerts.target_name"), cell: ({ name }) => <bdi>{oneLine(name, 60)}</bdi> },
            {
              title: t("alerts.address"),
              fit: "wrap",
              cell: (target) =>
                stacked([t(`alerts.channel.${target.channel}`), oneLine(target.address, 120)]),
            },
            {
              title: t("alerts.set_by"),
              fit: "wrap",
              cell: ({ setBy, peerId }) =>
                setBy !== undefined && (
                  <span class="stack">
                    <bdi>{oneLine(setBy, 80)}</bdi>
                    {peerId !== undefined && peers !== undefined && !peers.has(peerId) && (
                      <span class="error-text">{t("alerts.set_by_revoked")}</span>
                    )}
                  </span>
                ),
            },
            { title: t("alerts.min"), cell: ({ minSeverity }) => t(`alerts.min.${minSeverity}`) },
            { title: t("alerts.last"), fit: "wrap", cell: (target) => <Last target={target} now={now} /> },
            {
              title: t("alerts.on"),
              cell: ({ id, name, enabled }) => (
                <SwitchForm
                  action={formHref("enable_alert_target", { targetId: id, enabled: !enabled }, AT)}
                  checked={enabled}
                  label={t("alerts.target_enabled_of", { name: oneLine(name, 60) })}
                  word={enabled ? t("alerts.on") : t("alerts.off")}
                  disabled={false}
                />
              ),
            },
            {
              title: t("alerts.actions"),
              kind: "actions",
              cell: ({ id, name }) => (
                <div class="action-form">
                  <a
                    class="button small"
                    href={`${AT}/${encodeURIComponent(id)}`}
                    aria-label={t("alerts.edit_of", { name: oneLine(name, 60) })}
                  >
                    {t("alerts.edit_short")}
                  </a>
                  <RowButton
                    action={formHref("test_alert_target", { targetId: id }, AT)}
                    text={t("alerts.test")}
                    label={t("alerts.test_of", { name: oneLine(name, 60) })}
                  />
                  <RowButton
                    action={formHref("delete_alert_target", { targetId: id }, AT)}
                    text={t("alerts.delete")}
                    label={t("alerts.delete_of", { name: oneLine(name, 60) })}
                  />
                </div>
              ),
            },
          ]}
        />
      </Panel>
      <Panel title={t("alerts.target_new")}>
        <nav class="tabs" aria-label={t("alerts.target_channels")}>
          {ALERT_CHANNELS.map((each) => (
            <a
              key={each}
              class="tab"
              href={`${AT}?channel=${each}`}
              aria-current={each === channel ? "page" : undefined}
            >
              {t(`alerts.channel.${each}`)}
            </a>
          ))}
        </nav>
        <form
          method="post"
          action={formHref("create_alert_target", { channel }, AT, `${AT}?channel=${channel}`)}
        >
          <TargetFields
            channel={channel}
            values={typed ?? {}}
            errorAt={(field) => refusalAt(state.refused, "create_alert_target", field)}
            again={typed !== undefined}
          />
          <div class="form-actions">
            <button type="submit" class="button primary">{t("alerts.target_add")}</button>
          </div>
        </form>
      </Panel>
    </SettingsPage>
  );
});
