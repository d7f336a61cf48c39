import type { NetworkLease, StaticLease } from "../../lib/contract/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatMoment, formatSpan } from "../../lib/text/time.ts";
import { networks as texts } from "../../lib/i18n/en/networks.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { CheckField, TextField } from "../kit/Field.tsx";
import { NetworkDhcpButton, NetworkDhcpForm, type NetworkPart } from "./NetworkDhcpForm.tsx";
import { Panel } from "../kit/Panel.tsx";
import { AddForm } from "../kit/AddForm.tsx";
import { DataTable } from "../kit/DataTable.tsx";
import { TruncatedText } from "../kit/TruncatedText.tsx";

const { t } = textsOf(texts);

/** A lease as a static one: with a name the guest gave itself only where DHCPv6 needs one. */
function staticOf({ ip, mac, duid, hostname }: NetworkLease): StaticLease {
  if (!ip.includes(":")) return { ip, mac };
  return duid === undefined ? { ip, ...(hostname !== undefined && { hostname }) } : { ip, duid };
}

/** When a lease ends. */
function Expiry({ at, now }: { at: number | null; now: number }) {
  if (at === null) return <>{t("networks.never")}</>;
  return (
    <time dateTime={new Date(at).toISOString()} title={formatMoment(at)}>
      {t("networks.ends_in", { span: formatSpan(at - now) })}
    </time>
  );
}

/** Props of {@link Leases}. */
export interface LeasesProps extends NetworkPart {
  leases: readonly NetworkLease[];
  /** Milliseconds since 1970 that spans are counted to. */
  now: number;
}

/** Table of the present leases. */
export function Leases({ leases, now, ...common }: LeasesProps) {
  const title = t("networks.leases");
  return (
    <Panel title={title}>
      <DataTable
        label={title}
        rows={leases}
        keyOf={({ ip }) => ip}
        attributesOf={({ ip }) => ({ "data-lease": ip })}
        empty={t(common.network.active ? "networks.leases_none" : "networks.leases_off")}
        columns={[
          { title: t("networks.ip"), kind: "code", cell: ({ ip }) => oneLine(ip, 60) },
          {
            title: t("networks.vm"),
            fit: "wide",
            cell: ({ vmId, vmName }) =>
              vmId !== undefined && (
                <a href={`/vms/${encodeURIComponent(vmId)}`}>
                  <TruncatedText text={vmName ?? ""} />
                </a>
              ),
          },
          {
            title: t("networks.hostname"),
            fit: "wide",
            cell: ({ hostname }) => hostname !== undefined && <TruncatedText text={hostname} />,
          },
          { title: t("networks.mac"), kind: "code", cell: ({ mac }) => oneLine(mac, 20) },
          { title: t("networks.expires"), cell: ({ expiresAt }) => <Expiry at={expiresAt} now={now} /> },
          {
            title: t("networks.actions"),
            kind: "actions",
            cell: (lease) =>
              lease.isStatic ? t("networks.static") : (
                <NetworkDhcpButton
                  {...common}
                  about={{ ...staticOf(lease) }}
                  list="add"
                  label={t("networks.make_static")}
                  title={t("networks.make_static_of", { ip: lease.ip })}
                />
              ),
          },
        ]}
      />
    </Panel>
  );
}

/** The addresses that are kept for somebody, and a form for another. */
export function StaticLeases(common: NetworkPart) {
  const { network, enabled } = common;
  const hosts = network.subnets.flatMap((subnet) => subnet.hosts);
  const hasDhcp = network.subnets.some(({ dhcp }) => dhcp);
  const hasV6 = network.subnets.some(({ dhcp, family }) => dhcp && family === "ipv6");
  return (
    <Panel title={t("networks.statics")}>
      <DataTable
        label={t("networks.statics")}
        rows={hosts}
        keyOf={({ ip }) => ip}
        attributesOf={({ ip }) => ({ "data-static": ip })}
        empty={t(hasDhcp ? "networks.statics_none" : "networks.statics_without")}
        columns={[
          { title: t("networks.ip"), kind: "code", cell: ({ ip }) => oneLine(ip, 60) },
          { title: t("networks.mac"), kind: "code", cell: ({ mac, duid }) => oneLine(mac ?? duid ?? "", 60) },
          {
            title: t("networks.hostname"),
            cell: ({ hostname }) => hostname !== undefined && <bdi>{oneLine(hostname, 60)}</bdi>,
          },
          {
            title: t("networks.actions"),
            kind: "actions",
            cell: ({ ip }) => (
              <NetworkDhcpButton
                {...common}
                about={{ ip }}
                list="remove"
                label={t("networks.remove")}
                title={t("networks.remove_of", { ip })}
              />
            ),
          },
        ]}
      />
      {hasDhcp && (
        <AddForm title={t("networks.add_form")}>
          <NetworkDhcpForm {...common}>
            <div class="form-grid">
              <TextField label={t("networks.ip")} name="add.0.ip" required maxLength={45} />
              <TextField label={t("networks.mac")} name="add.0.mac" maxLength={17} placeholder="52:54:00:…" />
              {hasV6 && <TextField label={t("networks.duid")} name="add.0.duid" maxLength={400} />}
              <TextField label={t("networks.hostname")} name="add.0.hostname" maxLength={253} />
              <CheckField
                wide
                label={t("networks.allow_leased")}
                hint={t("networks.allow_leased_hint")}
                name="allowLeased"
                value="true"
              />
            </div>
            <div class="form-actions">
              <button type="submit" class="button" disabled={!enabled}>
                {t("networks.add")}
              </button>
            </div>
          </NetworkDhcpForm>
        </AddForm>
      )}
    </Panel>
  );
}
