import { page } from "fresh";
import { SettingsPage } from "../../../components/access/SettingsPage.tsx";
import { ConnectionFields } from "../../../components/host/ConnectionFields.tsx";
import { HostNameField } from "../../../components/host/HostNameField.tsx";
import { installDestination, InstallForm } from "../../../components/host/InstallForm.tsx";
import { JoinForm } from "../../../components/host/JoinForm.tsx";
import { PeersPanel } from "../../../components/host/PeersPanel.tsx";
import { DataTable } from "../../../components/kit/DataTable.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import { RelativeTime } from "../../../components/kit/RelativeTime.tsx";
import { RowButton } from "../../../components/kit/RowButton.tsx";
import { SwitchForm } from "../../../components/kit/SwitchForm.tsx";
import type { HostStatus, Output, Role } from "../../../lib/contract/mod.ts";
import { HOST_STATES } from "../../../lib/host/states.ts";
import { expiredText } from "../../../lib/host/certificate_text.ts";
import { clockText } from "../../../lib/host/clock_text.ts";
import { hosts as texts } from "../../../lib/i18n/en/hosts.ts";
import { maintenance as maintenanceTexts } from "../../../lib/i18n/en/maintenance.ts";
import { maintenanceText } from "../../../lib/host/maintenance_text.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { type Failure, failureOf } from "../../../lib/text/failure.ts";
import { textIn } from "../../../lib/text/form_fields.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { hrefOn } from "../../../lib/text/host_path.ts";
import { refusalAt, type RefusedForm, typedAgain } from "../../../lib/text/refused_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { fail } from "../../(_shared)/fail.ts";
import { postedForm } from "../../(_shared)/form.ts";
import { confirmOwn } from "../../(_shared)/own_password.ts";
import { publicSshKey } from "../../(_shared)/ssh_key.ts";

const { t, plural } = textsOf(texts), { t: tMaintenance } = textsOf(maintenanceTexts);
const AT = "/settings/hosts";

async function shown(
  { api }: PageState,
  step: {
    failure?: Failure;
    made?: Output<"invite_host">;
    typed?: Readonly<Record<"role" | "minutes" | "address" | "both", string>>;
  } = {},
) {
  const [hosts, peers, publicKey] = await Promise.all([api.listHosts(), api.listPeers(), publicSshKey(api)])
    .catch(fail);
  return { hosts, peers, publicKey, now: Date.now(), ...step };
}

export const handler = define.handlers({
  async GET({ state }) {
    return page(await shown(state));
  },
  /** An invitation is shown once, so its form has an answer of its own. */
  async POST({ req, state }) {
    const form = await postedForm(req), address = textIn(form, "address").trim();
    const both = textIn(form, "both");
    const typed = { role: textIn(form, "role"), minutes: textIn(form, "minutes"), address, both };
    try {
      await confirmOwn(state.api, form);
      const made = await state.api.inviteHost({
        role: typed.role as Role,
        minutes: Number(typed.minutes),
        ...(address !== "" && { address }),
        ...(both === "true" && { both: true }),
      });
      return page(await shown(state, { made }));
    } catch (error) {
      const failure = failureOf(error);
      return page(await shown(state, { failure, typed }), { status: failure.status });
    }
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

function State(
  { host: { status, error, foreignVms, linked, maintenance }, now }: { host: HostStatus; now: number },
) {
  const unknown = linked?.unknownVms ?? 0, expired = expiredText(linked?.certificateEndsAt, now);
  return (
    <span class="stack">
      {t(HOST_STATES[status])}
      {maintenance !== undefined && <strong data-maintenance>{maintenanceText(maintenance)}</strong>}
      {error !== null && <span class="error-text">{oneLine(error, 400)}</span>}
      {foreignVms.length > 0 && <span>{plural("hosts.foreign", foreignVms.length)}</span>}
      {unknown > 0 && <span>{plural("hosts.unknown", unknown)}</span>}
      {linked?.clockAheadMs !== undefined && <span data-clock>{clockText(linked.clockAheadMs)}</span>}
      {expired !== undefined && <span data-certificate>{expired}</span>}
    </span>
  );
}

function Connection({ host: { uri, username, version, linked } }: { host: HostStatus }) {
  return (
    <span class="stack">
      <span class="mono">{oneLine(uri, 200)}</span>
      {username !== undefined && (
        <span class="text-muted">
          {t("hosts.username")}: <bdi>{oneLine(username, 60)}</bdi>
        </span>
      )}
      {version !== undefined && <span class="text-muted">{t("hosts.version", { version })}</span>}
      {linked && <span class="text-muted">{t("hosts.manager", linked)}</span>}
    </span>
  );
}

function Actions({ host }: { host: HostStatus }) {
  const { id: hostId } = host, name = nameOf(host);
  const maintenance = host.status !== "disabled" && (
    <a
      class="button small"
      href={hrefOn(hostId, "/maintenance")}
      aria-label={tMaintenance("maintenance.open_of", { host: name })}
    >
      {tMaintenance("maintenance.open")}
    </a>
  );
  if (host.isLocal) return <div class="action-form">{maintenance}</div>;
  return (
    <div class="action-form">
      {maintenance}
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
export default define.page<typeof handler>(function Hosts({ data, state, url }) {
  const { hosts, peers, publicKey, now, failure = null, made, typed: invited } = data;
  const typed = typedAgain(state.refused, "add_host");
  const errorAt = (field: string) => refusalAt(state.refused, "add_host", field);
  return (
    <SettingsPage at={AT} user={state.user} failure={failure}>
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
            { title: t("hosts.state"), fit: "wrap", cell: (host) => <State host={host} now={now} /> },
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
      <InstallForm refused={state.refused} at={AT} destination={installDestination(url)} />
      <JoinForm refused={state.refused} user={state.user} at={AT} />
      <Panel title={t("hosts.add")}>
        <form method="post" action={formHref("add_host", {}, AT)}>
          <div class="form-grid">
            <HostNameField value={typed?.name} error={errorAt("name")} />
            <ConnectionFields command="add_host" refused={state.refused} publicKey={publicKey} />
          </div>
          <div class="form-actions">
            <button type="submit" class="button primary">{t("hosts.add_do")}</button>
          </div>
        </form>
      </Panel>
      <PeersPanel {...{ peers, made, now, user: state.user, at: AT }} typed={invited} />
    </SettingsPage>
  );
});
