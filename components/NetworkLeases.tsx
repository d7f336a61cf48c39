import type { Network, NetworkLease, StaticLease } from "../lib/contract/mod.ts";
import { networkHref } from "../lib/format/networks.ts";
import { oneLine } from "../lib/format/text.ts";
import { formatMoment, formatSpan } from "../lib/format/time.ts";
import { networks as texts } from "../lib/i18n/en/networks.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { TextField } from "./Field.tsx";
import type { SendForm } from "./NetworkActions.tsx";
import { Panel } from "./Panel.tsx";

const { t } = textsOf(texts);

interface Common {
  network: Network;
  enabled: boolean;
  onSend: SendForm;
}

/** A form of one button that is about one lease. */
function LeaseForm(
  { network, enabled, onSend, lease, does, label, title }: Common & {
    lease: StaticLease;
    does: "add_lease" | "remove_lease";
    label: string;
    title: string;
  },
) {
  return (
    <form
      method="post"
      action={`${networkHref(network.name)}/actions`}
      onSubmit={(event) => {
        event.preventDefault();
        onSend(network.name, event.currentTarget, event.submitter);
      }}
    >
      {(["ip", "mac", "duid", "hostname"] as const).map((field) =>
        lease[field] !== undefined && <input key={field} type="hidden" name={field} value={lease[field]} />
      )}
      <button
        type="submit"
        class={does === "remove_lease" ? "button ghost danger" : "button ghost"}
        name="action"
        value={does}
        disabled={!enabled}
        aria-label={title}
      >
        {label}
      </button>
    </form>
  );
}

/** A lease as a static one: with a name the guest gave itself only where DHCPv6 needs one. */
function staticOf({ ip, mac, duid, hostname }: NetworkLease): StaticLease {
  if (!ip.includes(":")) return { ip, mac };
  return duid === undefined ? { ip, ...(hostname !== undefined && { hostname }) } : { ip, duid };
}

/** Props of {@link Leases}. */
export interface LeasesProps extends Common {
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
                    <LeaseForm
                      {...common}
                      lease={staticOf(lease)}
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
export function StaticLeases(common: Common) {
  const { network, enabled, onSend } = common;
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
                      <LeaseForm
                        {...common}
                        lease={{ ip: host.ip }}
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
        <form
          class="static-form"
          method="post"
          action={`${networkHref(network.name)}/actions`}
          onSubmit={(event) => {
            event.preventDefault();
            onSend(network.name, event.currentTarget, event.submitter);
          }}
        >
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
        </form>
      )}
    </Panel>
  );
}
