import { page } from "fresh";
import { RowButton } from "../../components/kit/RowButton.tsx";
import { DataTable } from "../../components/kit/DataTable.tsx";
import { TextField } from "../../components/kit/Field.tsx";
import { SettingsPage } from "../../components/access/SettingsPage.tsx";
import { RelativeTime } from "../../components/kit/RelativeTime.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { formHref } from "../../lib/text/form_href.ts";
import { hrefOn } from "../../lib/text/host_path.ts";
import { refusalAt, typedAgain } from "../../lib/text/refused_form.ts";
import { oneLine } from "../../lib/text/text.ts";
import { HOST_STATES } from "../../lib/host/states.ts";
import { hosts as texts } from "../../lib/i18n/en/hosts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";

const { t, plural } = textsOf(texts);
const AT = "/settings/hosts";

export const handler = define.handlers({
  async GET({ state }) {
    return page({ hosts: await state.api.listHosts().catch(fail), now: Date.now() });
  },
});

/** The hosts, and one more. */
export default define.page<typeof handler>(function Hosts({ data: { hosts, now }, state }) {
  const typed = typedAgain(state.refused, "add_host");
  return (
    <SettingsPage at={AT} user={state.user}>
      <Panel title={t("hosts.title")}>
        <p class="text-muted">{t("hosts.what")}</p>
        <DataTable
          label={t("hosts.title")}
          rows={hosts}
          keyOf={({ id }) => id}
          columns={[
            {
              title: t("hosts.name"),
              cell: ({ id, label, isLocal }) => (
                <>
                  <a href={hrefOn(id, "/")}>
                    <bdi>{oneLine(label, 60)}</bdi>
                  </a>
                  {isLocal && <small>{t("hosts.this")}</small>}
                </>
              ),
            },
            {
              title: t("hosts.uri"),
              fit: "wrap",
              cell: ({ uri }) => <span class="mono">{oneLine(uri, 200)}</span>,
            },
            {
              title: t("hosts.state"),
              fit: "wrap",
              cell: ({ status, error, foreignVms }) => (
                <>
                  {t(HOST_STATES[status])}
                  {error !== null && <small>{oneLine(error, 400)}</small>}
                  {foreignVms.length > 0 && <small>{plural("hosts.foreign", foreignVms.length)}</small>}
                </>
              ),
            },
            { title: t("hosts.since"), cell: ({ since }) => <RelativeTime at={since} now={now} /> },
            {
              title: t("hosts.actions"),
              kind: "actions",
              cell: ({ id, label, isLocal }) =>
                !isLocal && (
                  <RowButton
                    action={formHref("remove_host", { hostId: id }, AT)}
                    text={t("hosts.remove")}
                    label={t("hosts.remove_named", { name: oneLine(label, 60) })}
                  />
                ),
            },
          ]}
        />
      </Panel>
      <Panel title={t("hosts.add")}>
        <form method="post" action={formHref("add_host", {}, AT)}>
          <div class="form-grid">
            <TextField
              label={t("hosts.name")}
              name="name"
              hint={t("hosts.name_hint")}
              defaultValue={typed?.name}
              error={refusalAt(state.refused, "add_host", "name")}
              required
              maxLength={40}
              pattern="[a-z0-9]([a-z0-9.\-]*[a-z0-9])?"
            />
            <TextField
              label={t("hosts.uri")}
              name="uri"
              hint={t("hosts.uri_hint")}
              defaultValue={typed?.uri}
              error={refusalAt(state.refused, "add_host", "uri")}
              required
              maxLength={512}
              placeholder="qemu+ssh://root@kvm2/system"
            />
          </div>
          <div class="form-actions">
            <button type="submit" class="button primary">{t("hosts.add")}</button>
          </div>
        </form>
      </Panel>
    </SettingsPage>
  );
});
