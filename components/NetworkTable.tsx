import type { Network } from "../lib/contract/mod.ts";
import { MODE_NAMES, networkHref } from "../lib/format/networks.ts";
import { oneLine } from "../lib/format/text.ts";
import { networks as texts } from "../lib/i18n/en/networks.ts";
import { number, textsOf } from "../lib/i18n/mod.ts";
import { NetworkActions, type SendForm } from "./NetworkActions.tsx";
import { NetworkState } from "./NetworkState.tsx";

const { t } = textsOf(texts);

/** Props of {@link NetworkTable}. */
export interface NetworkTableProps {
  networks: readonly Network[];
  enabled: boolean;
  onSend: SendForm;
}

/** The bridge or devices a network is made of. */
export function deviceOf({ bridge, devices }: Network): string {
  return [...(bridge === undefined ? [] : [bridge]), ...devices].join(", ");
}

/** Every network in a row, with what can be done to it. */
export function NetworkTable({ networks, enabled, onSend }: NetworkTableProps) {
  return (
    <div class="panel">
      <div class="scroll-x" tabIndex={0} role="group" aria-label={t("networks.list")}>
        <table class="plain-table">
          <thead>
            <tr>
              <th scope="col">{t("networks.name")}</th>
              <th scope="col">{t("networks.state")}</th>
              <th scope="col">{t("networks.mode")}</th>
              <th scope="col">{t("networks.subnet")}</th>
              <th scope="col">{t("networks.device")}</th>
              <th scope="col" class="num">{t("networks.machines")}</th>
              <th scope="col">{t("networks.autostart")}</th>
              <th scope="col">
                <span class="visually-hidden">{t("networks.actions")}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {networks.map((network) => (
              <tr key={network.name} data-network={network.name}>
                <th scope="row">
                  <a class="ellipsis network-name" href={networkHref(network.name)}>
                    <bdi>{oneLine(network.name, 60)}</bdi>
                  </a>
                </th>
                <td>
                  <NetworkState network={network} />
                </td>
                <td>{t(MODE_NAMES[network.mode])}</td>
                <td class="mono lines">
                  {network.subnets.length === 0
                    ? "–"
                    : network.subnets.map(({ cidr }) => <span key={cidr}>{cidr}</span>)}
                </td>
                <td class="mono">{oneLine(deviceOf(network), 60) || "–"}</td>
                <td class="num">{number(network.vms.length)}</td>
                <td>{t(network.autostart ? "networks.yes" : "networks.no")}</td>
                <td>
                  <NetworkActions network={network} enabled={enabled} onSend={onSend} small />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
