import type { ReadonlySignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { NetworkActions, type OnSent } from "../components/network/NetworkActions.tsx";
import { NetworkFacts } from "../components/network/NetworkFacts.tsx";
import { Leases, StaticLeases } from "../components/network/NetworkLeases.tsx";
import { DhcpRanges } from "../components/network/NetworkRanges.tsx";
import { NetworkState } from "../components/network/NetworkState.tsx";
import { HangBanner } from "../components/hangs/HangBanner.tsx";
import { HangState } from "../components/hangs/HangState.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import { StateBadge } from "../components/vm/StateBadge.tsx";
import { api } from "../lib/client/api.ts";
import { currentTime, startClock } from "../lib/client/clock.ts";
import { live } from "../lib/client/live.ts";
import { useHangs } from "../lib/client/use_hangs.ts";
import { networkChanges, useQuery } from "../lib/client/use_query.ts";
import type { Hang, Network, NetworkLease, NetworkUser } from "../lib/contract/mod.ts";
import { hangOfNetwork } from "../lib/hangs/objects.ts";
import { failureOf } from "../lib/text/failure.ts";
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
  /** Objects that do not respond. */
  hangs: readonly Hang[];
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

type Shown = Pick<NetworkDetailProps, "network" | "leases">;

/** One network, live. */
export default function NetworkDetail({ network, leases, hangs, connected, now }: NetworkDetailProps) {
  useEffect(startClock, []);
  const { name } = network;
  const hang = hangOfNetwork(useHangs(hangs).value ?? [], name);
  const query: { value: ReadonlySignal<Shown>; reread: () => Promise<void> } = useQuery<Shown>({
    first: { network, leases },
    read: async (): Promise<Shown> => {
      const [fresh, held] = await Promise.all([
        api.getNetwork({ name }),
        api.getNetworkLeases({ name }).catch((error) => {
          // That it does not respond is said above: those that are known stay
          if (failureOf(error).code !== "NetworkNotResponding") throw error;
          return query.value.peek().leases;
        }),
      ]);
      return { network: fresh, leases: held };
    },
    follow: networkChanges,
    everyMs: LEASES_MS, // leases end and begin without an event
  });
  const { value, reread } = query;
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
          {hang === undefined
            ? <NetworkState network={value.value.network} />
            : <HangState hang={hang} now={now} short />}
        </span>
        <NetworkActions {...common} />
      </header>
      {hang !== undefined && <HangBanner hang={hang} now={now} />}
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
