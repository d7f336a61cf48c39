import { Empty } from "../components/kit/Empty.tsx";
import { ReadySteps } from "../components/host/ReadySteps.tsx";
import { NetworkTable } from "../components/network/NetworkTable.tsx";
import { api } from "../lib/client/api.ts";
import { live } from "../lib/client/live.ts";
import { useHangs } from "../lib/client/use_hangs.ts";
import { networkChanges, useQuery } from "../lib/client/use_query.ts";
import type { Hang, Network } from "../lib/contract/mod.ts";
import type { ShownLack } from "../lib/host/ready.ts";
import { networks as texts } from "../lib/i18n/en/networks.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(texts);

/** Props of {@link NetworkList}. */
export interface NetworkListProps {
  /** Missing part of the host, with the steps that the user may take: shown if there is no network. */
  lack: ShownLack | null;
  networks: readonly Network[];
  /** Objects that do not respond; null while unknown. */
  hangs: readonly Hang[] | null;
  /** When the page was rendered. */
  now: number;
  /** Whether libvirt answered when the page was rendered. */
  connected: boolean;
  /** Whether they may make networks. */
  mayCreate: boolean;
  /** Whether they may start and stop them. */
  mayAct: boolean;
}

/** The list of networks, live. */
export default function NetworkList(
  { networks, lack, hangs, now, connected, mayCreate, mayAct }: NetworkListProps,
) {
  const silent = useHangs(hangs).value ?? [];
  const { value, reread } = useQuery<readonly Network[]>({
    first: networks,
    read: () => api.getNetworks(),
    follow: networkChanges,
  });
  const enabled = live.connection.value === null ? connected : live.controllable.value;
  if (value.value.length === 0) {
    return (
      <Empty icon="network" title={t("networks.empty")}>
        <p>{t("networks.empty_what")}</p>
        <div class="actions">
          {lack !== null && lack.steps.length > 0 && enabled && <ReadySteps lack={lack} />}
          {mayCreate && <a class="button" href="/networks/new">{t("networks.new")}</a>}
        </div>
      </Empty>
    );
  }
  return (
    <NetworkTable
      networks={value.value}
      hangs={silent}
      now={now}
      enabled={enabled && mayAct}
      onSent={reread}
    />
  );
}
