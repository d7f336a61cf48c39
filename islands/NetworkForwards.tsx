import { PortForwards } from "../components/network/PortForwards.tsx";
import { api } from "../lib/client/api.ts";
import { live } from "../lib/client/live.ts";
import { networkChanges, useQuery } from "../lib/client/use_query.ts";
import type { PortForward, PortForwarding } from "../lib/contract/forwards.ts";
import type { Network } from "../lib/contract/mod.ts";

/** Props of {@link NetworkForwards}. */
export interface NetworkForwardsProps {
  network: Network;
  forwards: readonly PortForward[];
  forwarding: PortForwarding;
  connected: boolean;
}

/** The port forwards of one network, live. */
export default function NetworkForwards({ connected, ...first }: NetworkForwardsProps) {
  const { name } = first.network;
  const { value, reread } = useQuery<typeof first>({
    first,
    read: async () => {
      const [network, forwards, forwarding] = await Promise.all([
        api.getNetwork({ name }),
        api.listPortForwards({ network: name }),
        api.getPortForwarding(),
      ]);
      return { network, forwards, forwarding };
    },
    follow: networkChanges,
  });
  return <PortForwards {...value.value} enabled={live.controls(connected)} onSent={reread} />;
}
