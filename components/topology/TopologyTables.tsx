import type { ComponentChildren } from "preact";
import type { Topology, TopologyDevice, TopologyNetwork } from "../../lib/contract/topology.ts";
import { MODE_NAMES, networkHref } from "../../lib/format/networks.ts";
import { oneLine } from "../../lib/format/text.ts";
import { networks } from "../../lib/i18n/en/networks.ts";
import { topology as texts } from "../../lib/i18n/en/topology.ts";
import { number, textsOf } from "../../lib/i18n/mod.ts";
import { byName } from "../../lib/topology/graph.ts";
import { Icon } from "../Icon.tsx";
import { NetworkState } from "../NetworkState.tsx";
import { Panel } from "../Panel.tsx";
import { StateBadge } from "../StateBadge.tsx";
import { anchorOf, deviceKind, plugName } from "./words.ts";

const { t } = textsOf(texts);
const modes = textsOf(networks);
const NONE = "–";

/** A table in a panel; a sentence where it has no rows. */
function Listing({ title, heads, empty, children }: {
  title: string;
  heads: readonly string[];
  empty: boolean;
  children: ComponentChildren;
}) {
  return (
    <Panel title={title}>
      {empty
        ? <p class="calm">{t("topology.none")}</p>
        : (
          <div class="scroll-x" tabIndex={0} role="group" aria-label={title}>
            <table class="plain-table">
              <thead>
                <tr>{heads.map((head) => <th key={head} scope="col">{head}</th>)}</tr>
              </thead>
              <tbody>{children}</tbody>
            </table>
          </div>
        )}
    </Panel>
  );
}

function Lines({ texts: all }: { texts: readonly string[] }) {
  return (
    <td class="mono lines">
      {all.length === 0 ? NONE : all.map((text) => <span key={text}>{oneLine(text, 60)}</span>)}
    </td>
  );
}

function UpDown({ up }: { up: boolean }) {
  return (
    <span class="state" data-tone={up ? "ok" : "off"}>
      <Icon name={up ? "running" : "stopped"} />
      <span class="state-word">{t(up ? "topology.up" : "topology.down")}</span>
    </span>
  );
}

function Devices({ devices }: { devices: readonly TopologyDevice[] }) {
  const heads = [
    t("topology.name"),
    t("topology.kind"),
    t("topology.state"),
    t("topology.addresses"),
    t("topology.over"),
    t("topology.mac"),
    t("topology.mtu"),
    t("topology.speed"),
  ];
  return (
    <Listing title={t("topology.devices")} heads={heads} empty={devices.length === 0}>
      {[...devices].sort((a, b) => byName(a.name, b.name)).map((device) => (
        <tr key={device.name} id={anchorOf(device.name)}>
          <th scope="row" class="mono">{oneLine(device.name, 60)}</th>
          <td>
            {deviceKind(device)}
            {device.wayOut && <small class="muted">{t("topology.way_out")}</small>}
          </td>
          <td>
            <UpDown up={device.up} />
          </td>
          <Lines texts={device.addresses} />
          <Lines texts={device.over} />
          <td class="mono">{device.mac ?? NONE}</td>
          <td>{device.mtu === undefined ? NONE : number(device.mtu)}</td>
          <td>
            {device.speedMbps === undefined ? NONE : t("topology.mbps", { n: number(device.speedMbps) })}
          </td>
        </tr>
      ))}
    </Listing>
  );
}

function Networks({ all }: { all: readonly TopologyNetwork[] }) {
  const heads = [
    t("topology.name"),
    t("topology.state"),
    t("topology.kind"),
    t("topology.addresses"),
    t("topology.bridge"),
    t("topology.over"),
  ];
  return (
    <Listing title={t("topology.networks_table")} heads={heads} empty={all.length === 0}>
      {all.map((network) => (
        <tr key={network.name}>
          <th scope="row">
            <a href={networkHref(network.name)}>
              <bdi>{oneLine(network.name, 60)}</bdi>
            </a>
          </th>
          <td>
            <NetworkState network={network} />
          </td>
          <td>{modes.t(MODE_NAMES[network.mode])}</td>
          <Lines texts={network.addresses} />
          <td class="mono">{network.bridge === undefined ? NONE : oneLine(network.bridge, 60)}</td>
          <Lines texts={network.over} />
        </tr>
      ))}
    </Listing>
  );
}

function Cards({ machines }: Pick<Topology, "machines">) {
  const heads = [
    t("topology.machine"),
    t("topology.state"),
    t("topology.plugged"),
    t("topology.addresses"),
    t("topology.mac"),
    t("topology.target"),
    t("topology.link"),
  ];
  return (
    <Listing title={t("topology.cards")} heads={heads} empty={machines.length === 0}>
      {machines.flatMap(({ vmId, name, state, nics }) => {
        const cards = nics.length === 0 ? [undefined] : nics;
        return cards.map((nic, index) => (
          <tr key={`${vmId} ${index}`}>
            <th scope="row">
              <a href={`/vms/${encodeURIComponent(vmId)}`}>
                <bdi>{oneLine(name, 60)}</bdi>
              </a>
            </th>
            <td>
              <StateBadge vm={{ state, responsive: true }} />
            </td>
            {nic === undefined ? <td colSpan={5}>{t("topology.no_nics")}</td> : (
              <>
                <td>
                  {nic.to === "network" ? <a href={networkHref(nic.name)}>{plugName(nic)}</a> : plugName(nic)}
                </td>
                <Lines texts={nic.addresses} />
                <td class="mono">{oneLine(nic.mac, 20)}</td>
                <td class="mono">{nic.target === undefined ? NONE : oneLine(nic.target, 20)}</td>
                <td>
                  <UpDown up={nic.linkUp} />
                </td>
              </>
            )}
          </tr>
        ));
      })}
    </Listing>
  );
}

/** Everything the picture shows, and the rest that is known of it, as tables. */
export function TopologyTables({ topology }: { topology: Topology }) {
  return (
    <div class="network-page">
      <Networks all={topology.networks} />
      <Cards machines={topology.machines} />
      {topology.devicesUnavailable === undefined && <Devices devices={topology.devices} />}
    </div>
  );
}
