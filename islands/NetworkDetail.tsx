import { useEffect } from "preact/hooks";
import { NetworkActions, type SendForm } from "../components/NetworkActions.tsx";
import { NetworkFacts } from "../components/NetworkFacts.tsx";
import { Leases, StaticLeases } from "../components/NetworkLeases.tsx";
import { DhcpRanges } from "../components/NetworkRanges.tsx";
import { NetworkState } from "../components/NetworkState.tsx";
import { Panel } from "../components/Panel.tsx";
import { StateBadge } from "../components/StateBadge.tsx";
import { api } from "../lib/client/api.ts";
import { currentTime, startClock } from "../lib/client/clock.ts";
import { live } from "../lib/client/live.ts";
import { sendNetworkForm, useReread } from "../lib/client/use_networks.ts";
import type { Network, NetworkLease, NetworkUser } from "../lib/contract/mod.ts";
import { oneLine } from "../lib/format/text.ts";
import { networks as texts } from "../lib/i18n/en/networks.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(texts);

/** Milliseconds between looks at the leases. */
const LEASES_MS = 4000;

/** Props of {@link NetworkDetail}. */
export interface NetworkDetailProps {
  network: Network;
  leases: readonly NetworkLease[];
  connected: boolean;
  /** When the page was rendered. */
  now: number;
}

function Users({ users }: { users: readonly NetworkUser[] }) {
  return (
    <Panel title={t("networks.users")}>
      {users.length === 0 ? <p class="calm">{t("networks.users_none")}</p> : (
        <table class="plain-table">
          <tbody>
            {users.map(({ vmId, name, state, macs }) => (
              <tr key={vmId}>
                <th scope="row">
                  <a href={`/vms/${encodeURIComponent(vmId)}`}>
                    <bdi>{oneLine(name, 60)}</bdi>
                  </a>
                </th>
                <td>
                  <StateBadge vm={{ state, responsive: true }} />
                </td>
                <td class="mono lines">{macs.map((mac) => <span key={mac}>{oneLine(mac, 20)}</span>)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

/** One network, live. */
export default function NetworkDetail({ network, leases, connected, now }: NetworkDetailProps) {
  useEffect(startClock, []);
  const { name } = network;
  const { value, reread } = useReread({ network, leases }, async () => {
    const [fresh, held] = await Promise.all([api.getNetwork({ name }), api.getNetworkLeases({ name })]);
    return { network: fresh as Network, leases: held as readonly NetworkLease[] };
  }, LEASES_MS);
  const enabled = live.connection.value === null ? connected : live.controllable.value;
  const onSend: SendForm = async (_name, form, submitter) => {
    if (await sendNetworkForm(name, form, submitter)) form.reset();
    reread();
  };
  const common = { network: value.value.network, enabled, onSend };
  return (
    <>
      <header class="page-head vm-head">
        <h1>
          <bdi>{oneLine(name, 120)}</bdi>
        </h1>
        <span role="status" class="count">
          <NetworkState network={value.value.network} />
        </span>
        <NetworkActions {...common} />
      </header>
      <div class="network-page">
        <NetworkFacts network={value.value.network} />
        {value.value.network.subnets.length > 0 && (
          <>
            <Leases {...common} leases={value.value.leases} now={currentTime(now)} />
            <StaticLeases {...common} />
            <DhcpRanges {...common} />
          </>
        )}
        <Users users={value.value.network.vms} />
      </div>
    </>
  );
}
