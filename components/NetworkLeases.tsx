import type { NetworkLease, StaticLease } from "../lib/contract/mod.ts";
import { oneLine } from "../lib/format/text.ts";
import { formatMoment, formatSpan } from "../lib/format/time.ts";
import { networks as texts } from "../lib/i18n/en/networks.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { TextField } from "./Field.tsx";
import { NetworkDeedButton, NetworkDeedForm, type NetworkPart } from "./NetworkDhcpForm.tsx";
import { Panel } from "./Panel.tsx";

const { t } = textsOf(texts);

/** A lease as a static one: with a name the guest gave itself only where DHCPv6 needs one. */
function staticOf({ ip, mac, duid, hostname }: NetworkLease): StaticLease {
  if (!ip.includes(":")) return { ip, mac };
  return duid === undefined ? { ip, ...(hostname !== undefined && { hostname }) } : { ip, duid };
}

/** Props of {@link Leases}. */
export interface LeasesProps extends NetworkPart {
  leases: readonly NetworkLease[];
  /** Milliseconds since 1970 that spans are counted to. */
  now: number;
}

/** Who has which address now. */
export function Leases({ leases, now, ...common }: LeasesProps) {
  const title = t("networks.leases");
  if (leases.length === 0) {
    return (
      <Panel title={title}>
        <p class="calm">{t(common.network.active ? "networks.leases_none" : "networks.leases_off")}</p>
      </Panel>
    );
  }
  return (
    <Panel title={title}>
      <div class="scroll-x" tabIndex={0} role="group" aria-label={title}>
        <table class="plain-table">
          <thead>
            <tr>
              <th scope="col">{t("networks.ip")}</th>
              <th scope="col">{t("networks.machine")}</th>
              <th scope="col">{t("networks.hostname")}</th>
              <th scope="col">{t("networks.mac")}</th>
              <th scope="col">{t("networks.expires")}</th>
              <th scope="col">
                <span class="visually-hidden">{t("networks.actions")}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {leases.map((lease) => (
              <tr key={lease.ip} data-lease={lease.ip}>
                <th scope="row" class="mono">{oneLine(lease.ip, 60)}</th>
                <td>
                  {lease.vmId === undefined ? "–" : (
                    <a href={`/vms/${encodeURIComponent(lease.vmId)}`}>
                      <bdi>{oneLine(lease.vmName ?? "", 60)}</bdi>
                    </a>
                  )}
                </td>
                <td>
                  <bdi>{lease.hostname === undefined ? "–" : oneLine(lease.hostname, 60)}</bdi>
                </td>
                <td class="mono">{oneLine(lease.mac, 20)}</td>
                <td>
                  {lease.expiresAt === null ? t("networks.never") : (
                    <time
                      dateTime={new Date(lease.expiresAt).toISOString()}
                      title={formatMoment(lease.expiresAt)}
                    >
                      {t("networks.ends_in", { span: formatSpan(lease.expiresAt - now) })}
                    </time>
                  )}
                </td>
                <td>
                  {lease.isStatic ? t("networks.static") : (
                    <NetworkDeedButton
                      {...common}
                      about={{ ...staticOf(lease) }}
                      does="add_lease"
                      label={t("networks.make_static")}
                      title={t("networks.make_static_of", { ip: lease.ip })}
                    />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
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
      {hosts.length === 0
        ? <p class="calm">{t(hasDhcp ? "networks.statics_none" : "networks.statics_without")}</p>
        : (
          <div class="scroll-x" tabIndex={0} role="group" aria-label={t("networks.statics")}>
            <table class="plain-table">
              <thead>
                <tr>
                  <th scope="col">{t("networks.ip")}</th>
                  <th scope="col">{t("networks.mac")}</th>
                  <th scope="col">{t("networks.hostname")}</th>
                  <th scope="col">
                    <span class="visually-hidden">{t("networks.actions")}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {hosts.map((host) => (
                  <tr key={host.ip} data-static={host.ip}>
                    <th scope="row" class="mono">{oneLine(host.ip, 60)}</th>
                    <td class="mono">{oneLine(host.mac ?? host.duid ?? "–", 60)}</td>
                    <td>
                      <bdi>{oneLine(host.hostname ?? "–", 60)}</bdi>
                    </td>
                    <td>
                      <NetworkDeedButton
                        {...common}
                        about={{ ip: host.ip }}
                        does="remove_lease"
                        label={t("networks.remove")}
                        title={t("networks.remove_of", { ip: host.ip })}
                      />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      {hasDhcp && (
        <NetworkDeedForm {...common} class="static-form">
          <div class="form-grid">
            <TextField label={t("networks.ip")} name="ip" required maxLength={45} />
            <TextField label={t("networks.mac")} name="mac" maxLength={17} placeholder="52:54:00:…" />
            {hasV6 && <TextField label={t("networks.duid")} name="duid" maxLength={400} />}
            <TextField label={t("networks.hostname")} name="hostname" maxLength={253} />
          </div>
          <div class="form-actions">
            <button type="submit" class="button" name="action" value="add_lease" disabled={!enabled}>
              {t("networks.add")}
            </button>
          </div>
        </NetworkDeedForm>
      )}
    </Panel>
  );
}
