import type { Network } from "../../lib/contract/mod.ts";
import { networks } from "../../lib/i18n/en/networks.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";

const { t } = textsOf(networks);

/** Whether a network runs, as icon, word and colour. */
export function NetworkState({ network: { active } }: { network: Pick<Network, "active"> }) {
  return (
    <span class="state" data-tone={active ? "ok" : "off"}>
      <Icon name={active ? "running" : "stopped"} />
      <span class="state-word">{t(active ? "networks.active" : "networks.inactive")}</span>
    </span>
  );
}
