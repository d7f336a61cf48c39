import { PortForwards } from "../components/PortForwards.tsx";
import type { SendForm } from "../components/NetworkActions.tsx";
import { api } from "../lib/client/api.ts";
import { live } from "../lib/client/live.ts";
import { report, reportFailure } from "../lib/client/toasts.ts";
import { useReread } from "../lib/client/use_networks.ts";
import type { PortForward, PortForwarding } from "../lib/contract/forwards.ts";
import type { Network } from "../lib/contract/mod.ts";
import { forwardDeed } from "../lib/format/forwards.ts";
import { forwards as texts } from "../lib/i18n/en/forwards.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(texts);

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
  const { value, reread } = useReread(first, async () => {
    const [network, forwards, forwarding] = await Promise.all([
      api.getNetwork({ name }),
      api.listPortForwards({ network: name }),
      api.getPortForwarding(),
    ]);
    return { network: network as Network, forwards: forwards as readonly PortForward[], forwarding };
  });
  const onSend: SendForm = async (network, form, submitter) => {
    const data = new FormData(form, submitter);
    const action = data.get("action");
    const deed = forwardDeed(action);
    if (!deed) return;
    try {
      await deed.run(api, network, data);
      if (action === "add") form.reset();
      report(t(deed.done));
    } catch (error) {
      reportFailure({ sentence: t("forwards.failed") }, error);
    }
    reread();
  };
  return <PortForwards {...value.value} enabled={live.controls(connected)} onSend={onSend} />;
}
