import type { Network, PlainSetting } from "../../lib/contract/mod.ts";
import { networkTexts } from "../../lib/network/network_texts.ts";
import { MODE_NAMES } from "../../lib/network/networks.ts";
import { PLAIN_SETTINGS } from "../../lib/network/settings.const.ts";
import { unitOf } from "../../lib/text/field_units.ts";
import { formatRate } from "../../lib/text/quantity.ts";
import { oneLine } from "../../lib/text/text.ts";
import { networks as texts } from "../../lib/i18n/en/networks.ts";
import { number, textsOf } from "../../lib/i18n/mod.ts";
import { Fact } from "../kit/Fact.tsx";
import { NetworkAutostart, type OnSent } from "./NetworkActions.tsx";
import { NetworkState } from "./NetworkState.tsx";
import { deviceOf } from "./NetworkTable.tsx";
import { Panel } from "../kit/Panel.tsx";
import { KIB } from "../../lib/text/byte_units.ts";

const { t } = textsOf(texts);

/** Props of {@link NetworkFacts}. */
export interface NetworkFactsProps {
  network: Network;
  enabled: boolean;
  onSent: OnSent;
}

/** A setting of one value in words. */
function plainText(setting: PlainSetting, value: number | boolean): string {
  if (typeof value === "boolean") return t("networks.on");
  const unit = unitOf(setting, "number")?.label ?? "";
  return `${number(value)} ${unit}`.trim();
}

/** Facts of a network. */
export function NetworkFacts({ network, enabled, onSent }: NetworkFactsProps) {
  const { subnets, domain, vlanTags, vlanNative, bandwidth, dnsHosts, uuid, persistent } = network;
  const ranges = subnets.flatMap((subnet) => subnet.ranges);
  return (
    <Panel title={t("networks.overview")}>
      <dl class="description-list columns">
        <Fact label={t("networks.state")}>
          <NetworkState network={network} />
          {!persistent && <span class="text-muted">{t("networks.transient")}</span>}
        </Fact>
        <Fact label={t("networks.mode")}>{t(MODE_NAMES[network.mode])}</Fact>
        <Fact label={t("networks.device")}>
          <span class="mono">{oneLine(deviceOf(network), 120) || "–"}</span>
        </Fact>
        <Fact label={t("networks.subnet")}>
          {subnets.length === 0
            ? <span class="text-muted">{t("networks.no_subnet")}</span>
            : subnets.map(({ cidr }) => <span key={cidr} class="mono line">{cidr}</span>)}
        </Fact>
        {subnets.length > 0 && (
          <>
            <Fact label={t("networks.host_address")}>
              {subnets.map(({ address }) => (
                <span key={address} class="mono line">{oneLine(address, 60)}</span>
              ))}
            </Fact>
            <Fact label={t("networks.dhcp")}>
              {ranges.length === 0
                ? <span class="text-muted">{t("networks.no_dhcp")}</span>
                : ranges.map(({ start, end }) => (
                  <span key={start} class="mono line">{t("networks.range", { start, end })}</span>
                ))}
            </Fact>
          </>
        )}
        {domain !== undefined && <Fact label={networkTexts.label("domain")}>{oneLine(domain, 120)}</Fact>}
        {PLAIN_SETTINGS.filter((each) => network[each] !== undefined).map((each) => (
          <Fact key={each} label={networkTexts.label(each)}>
            {plainText(each, network[each]!)}
          </Fact>
        ))}
        {vlanTags.length > 0 && (
          <Fact label={t("networks.vlans")}>
            {vlanTags.map((tag) => tag === vlanNative ? t("networks.vlan_is_native", { tag }) : tag).join(
              ", ",
            )}
          </Fact>
        )}
        {bandwidth?.inbound && (
          <Fact label={t("networks.inbound")}>{formatRate(bandwidth.inbound.averageKib * KIB)}</Fact>
        )}
        {bandwidth?.outbound && (
          <Fact label={t("networks.outbound")}>{formatRate(bandwidth.outbound.averageKib * KIB)}</Fact>
        )}
        {dnsHosts.length > 0 && (
          <Fact label={networkTexts.label("dnsHosts")}>
            {dnsHosts.map(({ ip, hostnames }) => (
              <span key={ip} class="mono line">{oneLine(`${ip} ${hostnames.join(" ")}`, 120)}</span>
            ))}
          </Fact>
        )}
        {network.pending.length > 0 && (
          <Fact label={t("networks.pending")}>
            {network.pending.map((each) => networkTexts.label(each)).join(", ")}
          </Fact>
        )}
        <Fact label={t("networks.autostart")}>
          <NetworkAutostart network={network} enabled={enabled} onSent={onSent} />
        </Fact>
        <Fact label={t("networks.uuid")}>
          <span class="mono">{uuid}</span>
        </Fact>
      </dl>
    </Panel>
  );
}
