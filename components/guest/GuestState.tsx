import type { AgentStatus, GuestAbility, VM } from "../../lib/contract/mod.ts";
import { INSTALL_COMMANDS } from "../../lib/guest/remedies.ts";
import { guest as texts } from "../../lib/i18n/en/guest.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { formatMoment } from "../../lib/text/time.ts";
import { DataTable } from "../kit/DataTable.tsx";
import { Empty } from "../kit/Empty.tsx";
import { Flash } from "../kit/Flash.tsx";
import { Panel } from "../kit/Panel.tsx";

const { t } = textsOf(texts);

const ABILITIES = {
  "info": "guest.ability_info",
  "network": "guest.ability_network",
  "filesystems": "guest.ability_filesystems",
  "users": "guest.ability_users",
  "metrics": "guest.ability_metrics",
  "exec": "guest.ability_exec",
  "files": "guest.ability_files",
  "power": "guest.ability_power",
  "freeze": "guest.ability_freeze",
  "time": "guest.ability_time",
  "password": "guest.ability_password",
  "ssh-keys": "guest.ability_ssh_keys",
  "processes": "guest.ability_processes",
  "services": "guest.ability_services",
  "service-control": "guest.ability_service_control",
  "packages": "guest.ability_packages",
  "security": "guest.ability_security",
  "metadata": "guest.ability_metadata",
} as const satisfies Record<GuestAbility, keyof typeof texts>;

/** Page content without an agent: the reason, and steps to install it. */
export function NoAgent({ vm, status }: { vm: VM; status: AgentStatus }) {
  if (vm.state !== "running") {
    return (
      <Empty icon="power" title={t("guest.off")}>
        <p>{t("guest.off_what")}</p>
      </Empty>
    );
  }
  const has = (state: AgentStatus["agents"][number]["state"]) =>
    status.agents.some((each) => each.state === state);
  if (has("silent")) {
    return (
      <Empty icon="unplug" title={t("guest.silent")}>
        <p>{t("guest.silent_what")}</p>
      </Empty>
    );
  }
  if (!has("disconnected")) {
    return (
      <Empty icon="unplug" title={t("guest.not_configured")}>
        <p>{t("guest.not_configured_what")}</p>
      </Empty>
    );
  }
  return (
    <>
      <Empty icon="unplug" title={t("guest.disconnected")}>
        <p>{t("guest.disconnected_what")}</p>
      </Empty>
      <DataTable
        label={t("guest.disconnected")}
        rows={INSTALL_COMMANDS}
        keyOf={({ system }) => system}
        columns={[
          { title: t("guest.install_system"), cell: ({ system }) => system },
          {
            title: t("guest.install_command"),
            kind: "code",
            fit: "wrap",
            cell: ({ command }) => command,
          },
        ]}
      />
    </>
  );
}

/** Says that a guest is frozen, and thaws it. */
export function FrozenNote({ vmId, until, at }: { vmId: string; until: number; at: string }) {
  return (
    <Flash
      tone="warn"
      actions={
        <form method="post" action={formHref("guest_thaw", { vmId }, at)}>
          <button type="submit" class="button">{t("guest.thaw")}</button>
        </form>
      }
    >
      {t("guest.frozen", { time: formatMoment(until) })}
    </Flash>
  );
}

/** Abilities that the guest's agent lacks, with reasons and remedies. */
export function MissingAbilities({ status }: { status: AgentStatus }) {
  const missing = status.abilities.filter(({ available }) => !available);
  if (missing.length === 0) return null;
  const alike = [...Map.groupBy(missing, ({ reason, remedy }) => JSON.stringify([reason, remedy])).values()];
  return (
    <Panel title={t("guest.missing")}>
      <DataTable
        label={t("guest.missing")}
        rows={alike}
        keyOf={([first]) => first!.ability}
        columns={[
          {
            title: t("guest.ability"),
            fit: "wrap",
            cell: (all) => all.map(({ ability }) => t(ABILITIES[ability])).join(", "),
          },
          { title: t("guest.reason"), fit: "wrap", cell: ([first]) => first!.reason },
          { title: t("guest.remedy"), fit: "wrap", cell: ([first]) => first!.remedy },
        ]}
      />
    </Panel>
  );
}
