/** Changing a network that is there: at once what libvirt can, the rest from its next start on. */
import type { DhcpStep } from "../../ffi/calls/mod.ts";
import {
  ContractError,
  type Input,
  NETWORK_SETTINGS,
  type NetworkSetting,
  type NetworkSettings,
  type Output,
} from "../../lib/contract/mod.ts";
import { settingsProblems } from "../../lib/net/check.ts";
import { renderXml } from "../../lib/xml/build.ts";
import { dnsHostXml } from "../../lib/xml/network.ts";
import type { NetworkChange } from "../../lib/xml/network_edit.ts";
import { contractError } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import type { VmServices } from "../vm/services.ts";
import { differing, requireNetwork } from "./view.ts";

/** The settings as they become. */
function wanted(now: NetworkSettings, input: Omit<Input<"update_network">, "name">): NetworkSettings {
  const { domain = now.domain ?? null, mtu = now.mtu ?? null, bandwidth = now.bandwidth ?? null } = input;
  return {
    ...(domain !== null && { domain }),
    // Without a domain there is nothing to keep local, unless that is asked for, which is refused.
    localDomain: input.localDomain ?? (domain !== null && now.localDomain),
    forwarders: input.forwarders ?? now.forwarders,
    dnsHosts: input.dnsHosts ?? now.dnsHosts,
    ...(mtu !== null && { mtu }),
    ...(bandwidth !== null && { bandwidth }),
  };
}

/** DNS entries that go, then those that come. */
function dnsSteps(now: NetworkSettings, next: NetworkSettings): DhcpStep[] {
  const [before, after] = [now, next].map(({ dnsHosts }) =>
    dnsHosts.map((each) => renderXml(dnsHostXml(each)))
  );
  const step = (does: DhcpStep["does"]) => (xml: string): DhcpStep => ({
    does,
    section: "dns",
    subnet: -1,
    xml,
  });
  return [
    ...before!.filter((xml) => !after!.includes(xml)).map(step("delete")),
    ...after!.filter((xml) => !before!.includes(xml)).map(step("add")),
  ];
}

/** What becomes of the definition; undefined when DNS entries alone are changed. */
function changeOf(next: NetworkSettings, changed: readonly NetworkSetting[]): NetworkChange | undefined {
  const has = (...some: NetworkSetting[]) => some.some((each) => changed.includes(each));
  if (!changed.some((each) => each !== "dnsHosts")) return undefined;
  return {
    ...(has("domain", "localDomain") && {
      domain: next.domain === undefined ? null : { name: next.domain, local: next.localDomain },
    }),
    ...(has("forwarders") && { forwarders: next.forwarders }),
    ...(has("mtu") && { mtu: next.mtu ?? null }),
    ...(has("bandwidth") && { bandwidth: next.bandwidth ?? null }),
  };
}

/** Changes a network's settings. @throws {ContractError} as the contract says */
export async function updateNetwork(
  services: VmServices,
  { name, ...input }: Input<"update_network">,
): Promise<Output<"update_network">> {
  const network = requireNetwork(services, name);
  const next = wanted(network.next, input);
  const changed = differing(network.next, next);
  const [problem] = settingsProblems(network.mode, next, NETWORK_SETTINGS.filter((each) => each in input));
  if (problem) throw new ContractError(problem.code, problem.details);
  const change = changeOf(next, changed);
  if (change !== undefined && !network.persistent) throw new ContractError("NetworkNotPersistent");
  if (changed.length === 0) return { now: [], nextStart: [] };
  try {
    await services.link.call("networkChange", { name, steps: dnsSteps(network.next, next), change });
  } catch (error) {
    throw contractError(error, "NetworkUpdateFailed", "update_network");
  } finally {
    await services.inventory.refreshNetworks(name, "updated").catch((error) =>
      log.debug("the networks could not be read", { error })
    );
  }
  const isNow = (setting: NetworkSetting) => network.active && setting === "dnsHosts";
  return { now: changed.filter(isNow), nextStart: changed.filter((each) => !isNow(each)) };
}
