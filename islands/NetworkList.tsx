import { Empty } from "../components/Empty.tsx";
import { NetworkTable } from "../components/NetworkTable.tsx";
import { api } from "../lib/client/api.ts";
import { live } from "../lib/client/live.ts";
import { sendNetworkForm, useReread } from "../lib/client/use_networks.ts";
import type { Network } from "../lib/contract/mod.ts";
import { networks as texts } from "../lib/i18n/en/networks.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(texts);

/** Props of {@link NetworkList}. */
export interface NetworkListProps {
  networks: readonly Network[];
  /** Whether libvirt answered when the page was rendered. */
  connected: boolean;
}

/** The list of networks, live. */
export default function NetworkList({ networks, connected }: NetworkListProps) {
  const { value, reread } = useReread<readonly Network[]>(networks, () => api.getNetworks());
  const enabled = live.connection.value === null ? connected : live.controllable.value;
  if (value.value.length === 0) {
    return (
      <Empty icon="network" title={t("networks.empty")}>
        <p>{t("networks.empty_what")}</p>
        <a class="button primary" href="/networks/new">{t("networks.new")}</a>
      </Empty>
    );
  }
  return (
    <NetworkTable
      networks={value.value}
      enabled={enabled}
      onSend={async (name, form, submitter) => {
        await sendNetworkForm(name, form, submitter);
        reread();
      }}
    />
  );
}
