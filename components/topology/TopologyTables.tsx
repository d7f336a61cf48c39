import type { Topology, TopologyDevice, TopologyNetwork } from "../../lib/contract/topology.ts";
import { MODE_NAMES } from "../../lib/network/networks.ts";
import { networkHref } from "../../lib/network/network_href.ts";
import { isLive } from "../../lib/vm/state.ts";
import { oneLine } from "../../lib/text/text.ts";
import { networks } from "../../lib/i18n/en/networks.ts";
import { topology as texts } from "../../lib/i18n/en/topology.ts";
import { number, textsOf } from "../../lib/i18n/mod.ts";
import { compareNames } from "../../lib/topology/graph.ts";
import { DataTable, stacked } from "../kit/DataTable.tsx";
import { Icon } from "../kit/Icon.tsx";
import { NetworkState } from "../network/NetworkState.tsx";
import { Panel } from "../kit/Panel.tsx";
import { StateBadge } from "../vm/StateBadge.tsx";
import { deviceAnchor, deviceKind, plugName } from "./words.ts";

const { t } = textsOf(texts);
const modes = textsOf(networks);

function UpDown({ up }: { up: boolean }) {
  return (
    <span class="state" data-tone={up ? "ok" : "off"}>
      <Icon name={up ? "running" : "stopped"} />
      <span class="state-word">{t(up ? "topology.up" : "topology.down")}</span>
    </span>
  );
}

const lines = (texts: readonly string[]) => stacked(texts.map((text) => oneLine(text, 60)));

function Devices({ devices }: { devices: readonly TopologyDevice[] }) {
  return (
    <Panel title={t("topology.devices")}>
      <DataTable
        label={t("topology.devices")}
        rows={[...devices].sort((a, b) => compareNames(a.name, b.name))}
        keyOf={({ name }) => name}
        attributesOf={({ name }) => ({ id: deviceAnchor(name) })}
        empty={t("topology.none")}
        columns={[
          { title: t("topology.name"), kind: "code", cell: ({ name }) => oneLine(name, 60) },
          {
            title: t("topology.kind"),
            cell: (device) => (
              <>
                {deviceKind(device)}
                {device.hasDefaultRoute && <small>{t("topology.way_out")}</small>}
              </>
            ),
          },
          { title: t("topology.state"), cell: ({ up }) => <UpDown up={up} /> },
          { title: t("topology.addresses"), kind: "code", cell: ({ addresses }) => lines(addresses) },
          { title: t("topology.over"), kind: "code", cell: ({ over }) => lines(over) },
          { title: t("topology.mac"), kind: "code", cell: ({ mac }) => mac },
          {
            title: t("topology.mtu"),
            kind: "number",
            cell: ({ mtu }) => mtu === undefined ? null : number(mtu),
          },
          {
            title: t("topology.speed"),
            kind: "number",
            cell: ({ speedMbps }) =>
              speedMbps === undefined ? null : t("topology.mbps", { n: number(speedMbps) }),
          },
        ]}
      />
    </Panel>
  );
}

function Networks({ all }: { all: readonly TopologyNetwork[] }) {
  return (
    <Panel title={t("topology.networks_table")}>
      <DataTable
        label={t("topology.networks_table")}
        rows={all}
        keyOf={({ name }) => name}
        empty={t("topology.none")}
        columns={[
          {
            title: t("topology.name"),
            cell: ({ name }) => (
              <a href={networkHref(name)}>
                <bdi>{oneLine(name, 60)}</bdi>
              </a>
            ),
          },
          { title: t("topology.state"), cell: (network) => <NetworkState network={network} /> },
          { title: t("topology.kind"), cell: ({ mode }) => modes.t(MODE_NAMES[mode]) },
          { title: t("topology.addresses"), kind: "code", cell: ({ addresses }) => lines(addresses) },
          { title: t("topology.bridge"), kind: "code", cell: ({ bridge }) => oneLine(bridge ?? "", 60) },
          { title: t("topology.over"), kind: "code", cell: ({ over }) => lines(over) },
        ]}
      />
    </Panel>
  );
}

function Cards({ vms }: Pick<Topology, "vms">) {
  const rows = vms.flatMap((vm) => {
    const nics: readonly (typeof vm.nics[number] | undefined)[] = vm.nics.length === 0
      ? [undefined]
      : vm.nics;
    return nics.map((nic, index) => ({ key: `${vm.vmId} ${index}`, vm, nic }));
  });
  return (
    <Panel title={t("topology.cards")}>
      <DataTable
        label={t("topology.cards")}
        rows={rows}
        keyOf={({ key }) => key}
        empty={t("topology.none")}
        columns={[
          {
            title: t("topology.vm"),
            cell: ({ vm: { vmId, name } }) => (
              <a href={`/vms/${encodeURIComponent(vmId)}`}>
                <bdi>{oneLine(name, 60)}</bdi>
              </a>
            ),
          },
          {
            title: t("topology.state"),
            cell: ({ vm: { state } }) => <StateBadge vm={{ state, responsive: true }} />,
          },
          {
            title: t("topology.plugged"),
            cell: ({ nic }) =>
              nic === undefined
                ? t("topology.no_nics")
                : nic.to === "network"
                ? <a href={networkHref(nic.name)}>{plugName(nic)}</a>
                : plugName(nic),
          },
          { title: t("topology.addresses"), kind: "code", cell: ({ nic }) => lines(nic?.addresses ?? []) },
          { title: t("topology.mac"), kind: "code", cell: ({ nic }) => oneLine(nic?.mac ?? "", 20) },
          { title: t("topology.target"), kind: "code", cell: ({ nic }) => oneLine(nic?.target ?? "", 20) },
          {
            title: t("topology.link"),
            cell: ({ nic, vm }) =>
              nic !== undefined && (isLive(vm) || !nic.linkUp) && <UpDown up={nic.linkUp} />,
          },
        ]}
      />
    </Panel>
  );
}

/** Everything the picture shows, and the rest that is known of it, as tables. */
export function TopologyTables({ topology }: { topology: Topology }) {
  return (
    <div class="network-page">
      <Networks all={topology.networks} />
      <Cards vms={topology.vms} />
      {topology.devicesUnavailable === undefined && <Devices devices={topology.devices} />}
    </div>
  );
}
