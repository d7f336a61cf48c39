import { useEffect } from "preact/hooks";
import { NetworkActions, type OnSent } from "../components/network/NetworkActions.tsx";
import { NetworkFacts } from "../components/network/NetworkFacts.tsx";
import { Leases, StaticLeases } from "../components/network/NetworkLeases.tsx";
import { DhcpRanges } from "../components/network/NetworkRanges.tsx";
import { NetworkState } from "../components/network/NetworkState.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import { StateBadge } from "../components/vm/StateBadge.tsx";
import { api } from "../lib/client/api.ts";
import { currentTime, startClock } from "../lib/client/clock.ts";
import { live } from "../lib/client/live.ts";
import { networkChanges, useQuery } from "../lib/client/use_query.ts";
import type { Network, NetworkLease, NetworkUser } from "../lib/contract/mod.ts";
import { oneLine } from "../lib/text/text.ts";
import { networks as texts } from "../lib/i18n/en/networks.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { DataTable, stacked } from "../components/kit/DataTable.tsx";

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
      <DataTable
        label={t("networks.users")}
        rows={users}
        keyOf={({ vmId }) => vmId}
        empty={t("networks.users_none")}
        columns={[
          {
            title: t("networks.vm"),
            cell: ({ vmId, name }) => (
              <a href={`/vms/${encodeURIComponent(vmId)}`}>
                <bdi>{oneLine(name, 60)}</bdi>
              </a>
            ),
          },
          {
            title: t("networks.state"),
            cell: ({ state }) => <StateBadge vm={{ state, responsive: true }} />,
          },
          {
            title: t("networks.mac"),
            kind: "code",
            cell: ({ macs }) => stacked(macs.map((mac) => oneLine(mac, 20))),
          },
        ]}
      />
    </Panel>
  );
}

/** One network, live. */
export default function NetworkDetail({ network, leases, connected, now }: NetworkDetailProps) {
  useEffect(startClock, []);
  const { name } = network;
  const { value, reread } = useQuery<Pick<NetworkDetailProps, "network" | "leases">>({
    first: { network, leases },
    read: async () => {
      const [fresh, held] = await Promise.all([api.getNetwork({ name }), api.getNetworkLeases({ name })]);
      return { network: fresh, leases: held };
    },
    follow: networkChanges,
    everyMs: LEASES_MS, // leases end and begin without an event
  });
  const enabled = live.connection.value === null ? connected : live.controllable.value;
  const onSent: OnSent = (form, isDone) => {
    if (isDone) form.reset();
    void reread();
  };
  const common = { network: value.value.network, enabled, onSent };
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
        <NetworkFacts {...common} />
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
