import type { Hang, Network } from "../../lib/contract/mod.ts";
import { MODE_NAMES } from "../../lib/network/networks.ts";
import { networkHref } from "../../lib/network/network_href.ts";
import { oneLine } from "../../lib/text/text.ts";
import { networks as texts } from "../../lib/i18n/en/networks.ts";
import { number, textsOf } from "../../lib/i18n/mod.ts";
import { NetworkActions, type OnSent } from "./NetworkActions.tsx";
import { NetworkState } from "./NetworkState.tsx";
import { hangOfNetwork } from "../../lib/hangs/objects.ts";
import { HangState } from "../hangs/HangState.tsx";
import { DataTable, stacked } from "../kit/DataTable.tsx";

const { t } = textsOf(texts);

/** Props of {@link NetworkTable}. */
export interface NetworkTableProps {
  networks: readonly Network[];
  /** Objects that do not respond. */
  hangs: readonly Hang[];
  /** When the page was rendered. */
  now: number;
  enabled: boolean;
  onSent: OnSent;
}

/** The bridge or devices a network is made of. */
export function deviceOf({ bridge, devices }: Network): string {
  return [...(bridge === undefined ? [] : [bridge]), ...devices].join(", ");
}

/** Every network in a row, with what can be done to it. */
export function NetworkTable({ networks, hangs, now, enabled, onSent }: NetworkTableProps) {
  return (
    <div class="panel">
      <DataTable
        label={t("networks.list")}
        rows={networks}
        keyOf={({ name }) => name}
        attributesOf={({ name }) => ({ "data-network": name })}
        columns={[
          {
            title: t("networks.name"),
            cell: ({ name }) => (
              <a class="ellipsis network-name" href={networkHref(name)}>
                <bdi>{oneLine(name, 60)}</bdi>
              </a>
            ),
          },
          {
            title: t("networks.state"),
            ...(hangs.length > 0 && { fit: "wrap" as const }),
            cell: (network) => {
              const hang = hangOfNetwork(hangs, network.name);
              return hang === undefined
                ? <NetworkState network={network} />
                : <HangState hang={hang} now={now} />;
            },
          },
          { title: t("networks.mode"), cell: ({ mode }) => t(MODE_NAMES[mode]) },
          {
            title: t("networks.subnet"),
            kind: "code",
            cell: ({ subnets }) => stacked(subnets.map(({ cidr }) => cidr)),
          },
          {
            title: t("networks.device"),
            kind: "code",
            cell: (network) => oneLine(deviceOf(network), 60),
          },
          { title: t("networks.vms"), kind: "number", cell: ({ vms }) => number(vms.length) },
          {
            title: t("networks.autostart"),
            cell: ({ autostart }) => t(autostart ? "networks.yes" : "networks.no"),
          },
          {
            title: t("networks.actions"),
            kind: "actions",
            cell: (network) => <NetworkActions network={network} enabled={enabled} onSent={onSent} small />,
          },
        ]}
      />
    </div>
  );
}
