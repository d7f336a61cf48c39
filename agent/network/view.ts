/** Networks as the contract shows them: libvirt's record, what its XML says, and who uses it. */
import type { NetworkRecord } from "../../ffi/calls/mod.ts";
import {
  ContractError,
  type Network,
  NETWORK_SETTINGS,
  type NetworkSetting,
  type NetworkSettings,
  type NetworkUser,
  type VM,
} from "../../lib/contract/mod.ts";
import { type NetworkSummary, readNetwork, readNetworkSettings } from "../../lib/formats/xml/network_read.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { withSaved } from "../storage/saved_devices.ts";

/** Records are replaced, never changed: what was read of one stays true. */
const summaries = new WeakMap<NetworkRecord, NetworkSummary>();

function summaryOf(record: NetworkRecord): NetworkSummary {
  let summary = summaries.get(record);
  if (!summary) summaries.set(record, summary = readNetwork(record.xml));
  return summary;
}

/** VMs with a card on each network, by its name. */
function usersByNetwork(vms: readonly VM[]): Map<string, NetworkUser[]> {
  const found = new Map<string, NetworkUser[]>();
  for (const { id, name, state, networkInterfaces } of vms) {
    const cards = Map.groupBy(
      networkInterfaces.filter(({ type }) => type === "network"),
      ({ network }) => network,
    );
    for (const [network, nics] of cards) {
      const users = found.get(network) ?? [];
      users.push({ vmId: id, name, state, macs: nics.map(({ mac }) => mac) });
      found.set(network, users);
    }
  }
  return found;
}

/** VMs that have a card on a network, or go on with one where their memory is saved, each once. @throws {LibvirtError} */
export async function usersOf(host: LibvirtHost, name: string): Promise<NetworkUser[]> {
  const users = usersByNetwork(await withSaved(host, host.inventory.vms())).get(name) ?? [];
  return [...new Map(users.map((user) => [user.vmId, user])).values()];
}

/** Settings in which two networks differ, in the order of the contract. */
export function differing(a: NetworkSettings, b: NetworkSettings): NetworkSetting[] {
  return NETWORK_SETTINGS.filter((each) => JSON.stringify(a[each]) !== JSON.stringify(b[each]));
}

/** Settings that can be changed, as of the next start. */
const nextOf = ({ xml, nextXml }: NetworkRecord) => readNetworkSettings(nextXml ?? xml);

const pendings = new WeakMap<NetworkRecord, NetworkSetting[]>();

/** Settings that differ from the next start on. */
function pendingOf(record: NetworkRecord): NetworkSetting[] {
  if (record.nextXml === undefined) return [];
  let pending = pendings.get(record);
  if (!pending) pendings.set(record, pending = differing(readNetworkSettings(record.xml), nextOf(record)));
  return pending;
}

function view(record: NetworkRecord, vms: NetworkUser[]): Network {
  const { name, uuid, active, persistent, autostart } = record;
  const pending = pendingOf(record);
  return { name, uuid, active, persistent, autostart, ...summaryOf(record), pending, vms };
}

/** Every network, by name. */
export function networksOf({ inventory }: LibvirtHost): Network[] {
  const users = usersByNetwork(inventory.vms());
  return inventory.networks.records().map((record) => view(record, users.get(record.name) ?? []))
    .sort((a, b) => a.name < b.name ? -1 : 1);
}

/** One network with its XML. @throws {ContractError} NetworkNotFound; LibvirtUnavailable while nothing is known */
export function requireNetwork(
  host: LibvirtHost,
  name: string,
): Network & { xml: string; next: NetworkSettings } {
  host.requireFilled();
  const record = host.inventory.networks.record(name);
  if (!record) throw new ContractError("NetworkNotFound", { network: name });
  const users = usersByNetwork(host.inventory.vms()).get(name) ?? [];
  return { ...view(record, users), next: nextOf(record), xml: record.xml };
}
