import { page } from "fresh";
import { SettingsPage } from "../../components/access/SettingsPage.tsx";
import { DataTable } from "../../components/kit/DataTable.tsx";
import { CheckField, SelectField, TextField } from "../../components/kit/Field.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { RelativeTime } from "../../components/kit/RelativeTime.tsx";
import { ROLES } from "../../lib/contract/command.ts";
import { mcp } from "../../lib/i18n/en/mcp.ts";
import { number, textsOf } from "../../lib/i18n/mod.ts";
import { MCP_PATH } from "../../lib/mcp/protocol.ts";
import { define } from "../../lib/page_state.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt, typedAgain } from "../../lib/text/refused_form.ts";
import { oneLine } from "../../lib/text/text.ts";
import { fail } from "../(_shared)/fail.ts";

const { t } = textsOf(mcp);
const AT = "/settings/mcp";

/** Settings of an MCP client in the format that most of them read. */
const settingsOf = (server: Readonly<Record<string, unknown>>) =>
  JSON.stringify({ mcpServers: { kvm: server } }, null, 2);
const HERE_SETTINGS = settingsOf({ command: "kvm-manager", args: ["mcp"] });
const remoteSettings = (url: string) =>
  settingsOf({ type: "http", url, headers: { Authorization: "Bearer kvmm_…" } });

export const handler = define.handlers({
  async GET({ state }) {
    const [access, sessions] = await Promise.all([state.api.getMcpAccess(), state.api.listMcpSessions()])
      .catch(fail);
    return page({ access, sessions, now: Date.now() });
  },
});

/** Whether programs may use MCP, for what, and which do. */
export default define.page<typeof handler>(
  function McpPage({ data: { access, sessions, now }, state, url }) {
    const typed = typedAgain(state.refused, "update_mcp_access");
    const errorAt = (field: string) => refusalAt(state.refused, "update_mcp_access", field);
    const isTicked = (name: "enabled" | "acting") =>
      typed === undefined ? access[name] : typed[name] === "yes";
    return (
      <SettingsPage at={AT} user={state.user}>
        <Panel title={t("mcp.access")}>
          <p>{t("mcp.what", { address: `${url.origin}${MCP_PATH}` })}</p>
          <form method="post" action={formHref("update_mcp_access", {}, AT)}>
            {/* A box that is not ticked says nothing. */}
            <input type="hidden" name="enabled" value="no" />
            <input type="hidden" name="acting" value="no" />
            <div class="form-grid">
              <CheckField
                label={t("mcp.enabled")}
                name="enabled"
                value="yes"
                defaultChecked={isTicked("enabled")}
                wide
              />
              <CheckField
                label={t("mcp.acting")}
                hint={t("mcp.acting_hint")}
                name="acting"
                value="yes"
                defaultChecked={isTicked("acting")}
                wide
              />
              <SelectField
                label={t("mcp.role")}
                name="role"
                value={typed?.role ?? access.role}
                choices={ROLES.map((role) => ({ value: role, label: t(`mcp.role.${role}`) }))}
                error={errorAt("role")}
              />
              <TextField
                label={t("mcp.calls_per_minute")}
                hint={t("mcp.calls_hint")}
                name="callsPerMinute"
                type="number"
                min={1}
                max={6000}
                required
                defaultValue={typed?.callsPerMinute ?? access.callsPerMinute}
                error={errorAt("callsPerMinute")}
              />
            </div>
            <div class="form-actions">
              <button type="submit" class="button primary">{t("mcp.save")}</button>
            </div>
          </form>
        </Panel>
        <Panel title={t("mcp.connect")}>
          {!access.enabled && <p>{t("mcp.connect_off")}</p>}
          <p>
            {t("mcp.connect_token")} <a href="/settings/tokens">{t("mcp.create_token")}</a>
          </p>
          <pre class="code-block" tabIndex={0}>{remoteSettings(`${url.origin}${MCP_PATH}`)}</pre>
          <p>{t("mcp.connect_here")}</p>
          <pre class="code-block" tabIndex={0}>{HERE_SETTINGS}</pre>
          <p>
            <a href="/help/mcp">{t("mcp.more")}</a>
          </p>
        </Panel>
        <Panel title={t("mcp.sessions")}>
          <DataTable
            label={t("mcp.sessions")}
            rows={sessions}
            keyOf={({ id }) => id}
            empty={t("mcp.no_sessions")}
            columns={[
              { title: t("mcp.who"), cell: ({ actor }) => oneLine(actor, 40) },
              { title: t("mcp.client"), cell: ({ client }) => <bdi>{oneLine(client, 64)}</bdi> },
              { title: t("mcp.address"), cell: ({ address }) => address ?? t("mcp.here") },
              { title: t("mcp.since"), cell: ({ beganAt }) => <RelativeTime at={beganAt} now={now} /> },
              {
                title: t("mcp.last_used"),
                cell: ({ lastUsedAt }) => <RelativeTime at={lastUsedAt} now={now} />,
              },
              { title: t("mcp.calls"), cell: ({ calls }) => number(calls) },
            ]}
          />
          {access.enabled && (
            <>
              <p>{t("mcp.stop_what")}</p>
              <form method="post" action={formHref("stop_mcp", {}, AT)}>
                <div class="form-actions">
                  <button type="submit" class="button danger">{t("mcp.stop")}</button>
                </div>
              </form>
            </>
          )}
        </Panel>
      </SettingsPage>
    );
  },
);
