/** Changing a network that is there: at once what libvirt can, the rest from its next start on. */
import type { DhcpStep } from "../../ffi/calls/mod.ts";
import {
  ContractError,
  type Input,
  NETWORK_SETTINGS,
  type NetworkSetting,
  type NetworkSettings,
  type Output,
  PLAIN_SETTINGS,
} from "../../lib/contract/mod.ts";
import { settingsProblems } from "../../lib/network/check.ts";
import { readNetworkSettings } from "../../lib/formats/xml/network_read.ts";
import { renderXml } from "../../lib/formats/xml/build.ts";
import { dnsHostXml } from "../../lib/formats/xml/network.ts";
import { isSet } from "../../lib/formats/xml/network_plain.ts";
import type { NetworkChange } from "../../lib/formats/xml/network_edit.ts";
import { contractError, isConnectionLost } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import { keyOf } from "../operations/operation_record.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { differing, requireNetwork } from "./view.ts";

/** The settings as they become. */
function wanted(now: NetworkSettings, input: Omit<Input<"update_network">, "name">): NetworkSettings {
  const { domain = now.domain ?? null, bandwidth = now.bandwidth ?? null } = input;
  const plain = PLAIN_SETTINGS.map((each) => [each, input[each] === undefined ? now[each] : input[each]]);
  return {
    ...(domain !== null && { domain }),
    // Without a domain there is nothing to keep local, unless that is asked for, which is refused.
    localDomain: input.localDomain ?? (domain !== null && now.localDomain),
    forwarders: input.forwarders ?? now.forwarders,
    dnsHosts: input.dnsHosts ?? now.dnsHosts,
    ...Object.fromEntries(plain.filter(([, value]) => isSet(value))),
    ...(bandwidth !== null && { bandwidth }),
  };
}

/** The settings before a change, as far as it names them. */
function settingsBack(now: NetworkSettings, input: Omit<Input<"update_network">, "name">) {
  const plain = Object.fromEntries(PLAIN_SETTINGS.map((each) => [each, now[each] ?? null]));
  const all = { ...now, ...plain, domain: now.domain ?? null, bandwidth: now.bandwidth ?? null };
  return Object.fromEntries(Object.entries(all).filter(([key]) => key in input));
}

type DnsHosts = NetworkSettings["dnsHosts"];

/**
 * DNS entries that go, then those that come. What runs and what starts next are compared each for itself: libvirtd that
 * is killed in the middle has written one of them.
 *
 * @param live the entries of a network that runs
 * @param config those of its definition
 */
export function dnsSteps(
  { live, config, next }: {
    readonly live: DnsHosts | undefined;
    readonly config: DnsHosts;
    readonly next: DnsHosts;
  },
): DhcpStep[] {
  const xmlOf = (hosts: DnsHosts) => new Set(hosts.map((each) => renderXml(dnsHostXml(each))));
  const [running, defined, wanted] = [xmlOf(live ?? config), xmlOf(config), xmlOf(next)];
  const step = (does: DhcpStep["does"], xml: string): DhcpStep => {
    const isLive = running.has(xml) === (does === "delete"),
      isDefined = defined.has(xml) === (does === "delete");
    const only = isLive && isDefined ? undefined : isLive ? "live" as const : "config" as const;
    return { does, section: "dns", subnet: -1, xml, ...(only && { only }) };
  };
  const there = [...new Set([...running, ...defined])];
  return [
    ...there.filter((xml) => !wanted.has(xml)).map((xml) => step("delete", xml)),
    ...[...wanted].filter((xml) => !running.has(xml) || !defined.has(xml)).map((xml) => step("add", xml)),
  ];
}

/** Change of the definition; undefined when DNS entries alone are changed. */
function changeOf(next: NetworkSettings, changed: readonly NetworkSetting[]): NetworkChange | undefined {
  const has = (...some: NetworkSetting[]) => some.some((each) => changed.includes(each));
  if (!changed.some((each) => each !== "dnsHosts")) return undefined;
  return {
    ...(has("domain", "localDomain") && {
      domain: next.domain === undefined ? null : { name: next.domain, local: next.localDomain },
    }),
    ...(has("forwarders") && { forwarders: next.forwarders }),
    ...Object.fromEntries(
      PLAIN_SETTINGS.filter((each) => has(each)).map((each) => [each, next[each] ?? null]),
    ),
    ...(has("bandwidth") && { bandwidth: next.bandwidth ?? null }),
  };
}

/** Changes a network's settings. @throws {ContractError} as the contract says */
export async function updateNetwork(
  host: LibvirtHost,
  { name, ...input }: Input<"update_network">,
  actor: string,
): Promise<Output<"update_network">> {
  const keys = [keyOf.network(name)];
  await host.operations.ready(keys);
  const network = requireNetwork(host, name);
  const next = wanted(network.next, input);
  const changed = differing(network.next, next);
  const [problem] = settingsProblems(network.mode, next, NETWORK_SETTINGS.filter((each) => each in input));
  if (problem) throw new ContractError(problem.code, problem.details);
  const change = changeOf(next, changed);
  if (change !== undefined && !network.persistent) throw new ContractError("NetworkNotPersistent");
  const live = network.active ? readNetworkSettings(network.xml).dnsHosts : undefined;
  const config = network.next.dnsHosts;
  const steps = input.dnsHosts === undefined ? [] : dnsSteps({ live, config, next: next.dnsHosts });
  if (changed.length === 0 && steps.length === 0) return { now: [], nextStart: [] };
  try {
    const spec = { command: "update_network", subject: name, actor, keys } as const;
    await host.operations.run(spec, async (operation) => {
      const noted = operation.add({
        kind: "change-wanted",
        command: "update_network",
        input: { name, ...input },
        back: { name, ...settingsBack(network.next, input) },
      });
      try {
        await host.link.call("networkChange", { name, steps, change });
      } catch (error) {
        if (!isConnectionLost(error)) noted.drop(); // what libvirt refuses, it has taken back in the same call
        throw error;
      }
    });
  } catch (error) {
    throw contractError(error, "NetworkUpdateFailed", "update_network");
  } finally {
    await host.inventory.networks.refresh(name).catch((error) =>
      log.debug("the networks could not be read", { error })
    );
  }
  const isNow = (setting: NetworkSetting) => network.active && setting === "dnsHosts";
  const now: NetworkSetting[] = network.active && steps.length > 0 ? ["dnsHosts"] : [];
  return { now, nextStart: changed.filter((each) => !isNow(each)) };
}
