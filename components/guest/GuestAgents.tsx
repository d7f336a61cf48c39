import type { AgentStatus, VM } from "../../lib/contract/mod.ts";
import { guest as texts } from "../../lib/i18n/en/guest.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { DataTable } from "../kit/DataTable.tsx";
import { Panel } from "../kit/Panel.tsx";

const { t } = textsOf(texts);

type Agent = AgentStatus["agents"][number];

const NAMES = {
  "qemu-ga": "guest.agent_qemu",
  "kvm-manager-agent": "guest.agent_own",
} as const satisfies Record<Agent["agent"], keyof typeof texts>;

const STATES = {
  "connected": "guest.state_connected",
  "silent": "guest.state_silent",
  "disconnected": "guest.state_disconnected",
  "not configured": "guest.state_not_configured",
} as const satisfies Record<Agent["state"], keyof typeof texts>;

/** Props of {@link GuestAgents}. */
export interface GuestAgentsProps {
  vm: VM;
  status: AgentStatus;
  /** Address of the page. */
  at: string;
  mayInsert: boolean;
  mayInstall: boolean;
}

/** Both agents, and how to get ours. */
export function GuestAgents({ vm, status: { agents }, at, mayInsert, mayInstall }: GuestAgentsProps) {
  const stateOf = (kind: Agent["agent"]) => agents.find(({ agent }) => agent === kind)?.state;
  const isOurs = stateOf("kvm-manager-agent") === "connected";
  const canInstall = mayInstall && !isOurs && stateOf("qemu-ga") === "connected";
  return (
    <Panel title={t("guest.agents")} class="guest-agents">
      <DataTable
        label={t("guest.agents")}
        rows={agents}
        keyOf={({ agent }) => agent}
        columns={[
          { title: t("guest.agent"), cell: ({ agent }) => t(NAMES[agent]) },
          {
            title: t("guest.state"),
            fit: "wrap",
            cell: ({ state }) => vm.state === "running" ? t(STATES[state]) : t("guest.off"),
          },
          { title: t("guest.version_title"), cell: ({ version }) => version },
        ]}
      />
      <div class="pad guest-tools">
        <p class="text-muted">{t(isOurs ? "guest.tools_there" : "guest.tools_what")}</p>
        {mayInsert && (
          <form method="post" action={formHref("insert_guest_tools", { vmId: vm.id }, at)}>
            <button type="submit" class="button">{t("guest.tools_insert")}</button>
          </form>
        )}
        {canInstall && (
          <form method="post" action={formHref("install_guest_agent", { vmId: vm.id }, at)}>
            <button type="submit" class="button">{t("guest.tools_install")}</button>
          </form>
        )}
      </div>
    </Panel>
  );
}
