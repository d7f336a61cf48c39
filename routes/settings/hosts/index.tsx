import { page } from "fresh";
import { SettingsPage } from "../../../components/access/SettingsPage.tsx";
import { ConnectionFields } from "../../../components/host/ConnectionFields.tsx";
import { DataTable } from "../../../components/kit/DataTable.tsx";
import { TextField } from "../../../components/kit/Field.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import { RelativeTime } from "../../../components/kit/RelativeTime.tsx";
import { RowButton } from "../../../components/kit/RowButton.tsx";
import { SwitchForm } from "../../../components/kit/SwitchForm.tsx";
import type { HostStatus } from "../../../lib/contract/mod.ts";
import { HOST_STATES } from "../../../lib/host/states.ts";
import { hosts as texts } from "../../../lib/i18n/en/hosts.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { hrefOn } from "../../../lib/text/host_path.ts";
import { refusalAt, type RefusedForm, typedAgain } from "../../../lib/text/refused_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { fail } from "../../(_shared)/fail.ts";
import { publicSshKey } from "../../(_shared)/ssh_key.ts";

const { t, plural } = textsOf(texts);
const AT = "/settings/hosts";

export const handler = define.handlers({
  async GET({ state }) {
    const [hosts, key] = await Promise.all([state.api.listHosts(), publicSshKey(state.api)]).catch(fail);
    return page({ hosts, publicKey: key, now: Date.now() });
  },
});

const nameOf = ({ label }: HostStatus) => oneLine(label, 60);

function Name({ host }: { host: HostStatus }) {
  return (
    <span class="stack">
      {host.status === "disabled" ? <bdi>{nameOf(host)}</bdi> : (
        <a href={hrefOn(host.id, "/")}>
          <bdi>{nameOf(host)}</bdi>
        </a>
      )}
      {host.isLocal && <span class="text-muted">{t("hosts.this")}</span>}
      {!host.isLocal && host.label !== host.id && <span class="text-muted mono">{host.id}</span>}
    </span>
  );
}

function State({ host: { status, error, foreignVms } }: { host: HostStatus }) {
  return (
    <span class="stack">
      {t(HOST_STATES[status])}
      {error !== null && <span class="error-text">{oneLine(error, 400)}</span>}
      {foreignVms.length > 0 && <span>{plural("hosts.foreign", foreignVms.length)}</span>}
    </span>
  );
}

function Connection({ host: { uri, version } }: { host: HostStatus }) {
  return (
    <span class="stack">
      <span class="mono">{oneLine(uri, 200)}</span>
      {version !== undefined && <span class="text-muted">{t("hosts.version", { version })}</span>}
    </span>
  );
}

function Actions({ host }: { host: HostStatus }) {
  if (host.isLocal) return null;
  const { id: hostId } = host, name = nameOf(host);
  return (
    <div class="action-form">
      <a
        class="button small"
        href={`${AT}/${encodeURIComponent(hostId)}`}
        aria-label={t("hosts.edit_named", { name })}
      >
        {t("hosts.edit")}
      </a>
      <RowButton
        action={formHref("remove_host", { hostId }, AT)}
        text={t("hosts.remove")}
        label={t("hosts.remove_named", { name })}
      />
    </div>
  );
}

/** A removal that was refused for what is kept there, once more. */
function RemoveAnyway({ refused }: { refused: RefusedForm | null }) {
  const hostId = refused?.command === "remove_host" ? refused.typed.hostId : undefined;
  if (hostId === undefined || refused?.failure.code !== "HostKeeps") return null;
  return (
    <form method="post" action={formHref("remove_host", { hostId, force: true }, AT)}>
      <input type="hidden" name="confirmed" value="yes" />
      <button type="submit" class="button danger">{t("hosts.remove_anyway", { name: hostId })}</button>
    </form>
  );
}

/** The hosts, and one more. */
export default define.page<typeof handler>(function Hosts({ data: { hosts, publicKey, now }, state }) {
  const typed = typedAgain(state.refused, "add_host");
  const errorAt = (field: string) => refusalAt(state.refused, "add_host", field);
  return (
    <SettingsPage at={AT} user={state.user}>
      <Panel title={t("hosts.title")}>
        <p class="text-muted">{t("hosts.what")}</p>
        <RemoveAnyway refused={state.refused} />
        <DataTable
          label={t("hosts.title")}
          rows={hosts}
          keyOf={({ id }) => id}
          attributesOf={({ id }) => ({ "data-host-row": id })}
          columns={[
            { title: t("hosts.name"), cell: (host) => <Name host={host} /> },
            { title: t("hosts.uri"), fit: "wrap", cell: (host) => <Connection host={host} /> },
            { title: t("hosts.state"), fit: "wrap", cell: (host) => <State host={host} /> },
            { title: t("hosts.vms"), cell: ({ vmCount }) => vmCount ?? "–" },
            { title: t("hosts.since"), cell: ({ since }) => <RelativeTime at={since} now={now} /> },
            {
              title: t("hosts.on"),
              cell: (host) => {
                const { id: hostId, isLocal, status } = host, isOn = status !== "disabled";
                return !isLocal && (
                  <SwitchForm
                    action={formHref("enable_host", { hostId, enabled: !isOn }, AT)}
                    checked={isOn}
                    label={t("hosts.enabled_named", { name: nameOf(host) })}
                    word={isOn ? t("hosts.on") : t("hosts.off")}
                    disabled={false}
                  />
                );
              },
            },
            { title: t("hosts.actions"), kind: "actions", cell: (host) => <Actions host={host} /> },
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
              error={errorAt("name")}
              required
              maxLength={40}
              pattern="[a-z0-9]([a-z0-9.\-]*[a-z0-9])?"
            />
            <ConnectionFields command="add_host" refused={state.refused} publicKey={publicKey} />
          </div>
          <div class="form-actions">
            <button type="submit" class="button primary">{t("hosts.add")}</button>
          </div>
        </form>
      </Panel>
    </SettingsPage>
  );
});
