/** Adding, removing and changing a VM's network cards. */
import { message, vmName, type VmReference } from "../../../lib/i18n/message.ts";
import { ContractError, type Input, type Output, type VM } from "../../../lib/contract/mod.ts";
import { parseAddress } from "../../../lib/formats/ip/cidr.ts";
import { renderXml } from "../../../lib/formats/xml/build.ts";
import { nicDevicesOf, nicOf } from "../../../lib/formats/xml/device_diff.ts";
import {
  changeNic,
  freeMac,
  macFault,
  type NicChange,
  type NicSource,
  nicXml,
  normalMac,
  type UserBackend,
} from "../../../lib/formats/xml/device_nic.ts";
import { nicLimitsIn } from "../../../lib/formats/xml/limit_rules.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import type { Principal } from "../../access.ts";
import { requireNetworksRespond } from "../../hosts/responsive.ts";
import { cannotLive, isConnectionLost } from "../../libvirt/failure.ts";
import type { Operation, Steps } from "../../operations/operation.ts";
import { noFilters } from "../../network/filters.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { requireNoSavedMemory } from "../saved_memory.ts";
import { attachElement } from "./attach_disk.ts";
import { changedPlaces, configurationsOf, deviceError, nicIn, runOf } from "./configurations.ts";
import { guardChangedNic, guardDetachedNic, guardNewNic } from "./filter_guard.ts";
import { leftInSeed } from "../cloud_init/left_mac.ts";
import { leftLeases } from "./left_leases.ts";
import { limitLiveNic, requireNicLimits } from "./limits.ts";
import { changeDevices } from "./operate.ts";
import { remove } from "./release.ts";
import { withSaved } from "../../storage/saved_devices.ts";

const FAULTS = {
  malformed: "six bytes like 52:54:00:12:34:56",
  multicast: "its first byte is odd: that is a group, not one card",
} as const;

/** @throws {ContractError} InvalidMac */
function requireMac(text: string): string {
  const mac = normalMac(text);
  const fault = macFault(mac);
  if (fault !== undefined) throw new ContractError("InvalidMac", { mac: text, reason: FAULTS[fault] });
  return mac;
}

/** Parses the reference to one of a VM's cards: `MAC`, or `MAC@place`. @throws {ContractError} InvalidMac */
function requireNic(text: string): string {
  const [mac = "", ...place] = text.split("@");
  return [requireMac(mac), ...place].join("@");
}

/**
 * Address → name of the VM that has it, or will have it from its next start on.
 *
 * @param own the VM whose next start alone counts: what its cards have now they can have again
 */
async function takenMacs(host: LibvirtHost, own?: VM): Promise<Map<string, VmReference>> {
  const { link, inventory } = host;
  const taken = new Map<string, VmReference>();
  for (const vm of await withSaved(host, inventory.vms())) {
    const counts = vm.id !== own?.id || !inventory.active().includes(vm.id);
    for (const { mac } of counts ? vm.networkInterfaces : []) taken.set(normalMac(mac), vmName(vm));
    if (!vm.persistent || !inventory.active().includes(vm.id)) continue;
    const next = await link.call("domainXml", { uuid: vm.id, secure: false, inactive: true });
    for (const { mac } of nicDevicesOf(next)) taken.set(mac, vmName(vm));
  }
  return taken;
}

/** Keeps an address while its card is made: two at the same time would both find it free. @throws {ContractError} MacInUse */
function holdMac({ reservations }: LibvirtHost, mac: string, vm: VM): Disposable {
  const taken = reservations.take("mac", mac, vm.name);
  if (typeof taken === "string") throw new ContractError("MacInUse", { mac, vm: taken });
  return taken;
}

interface Plug {
  readonly network?: string;
  readonly bridge?: string;
  readonly direct?: string;
  readonly user?: UserBackend;
}

/** Source that a card is plugged in to; undefined when none is given. @throws {ContractError} InvalidInput */
function plugOf({ network, bridge, direct, user }: Plug): NicSource | undefined {
  const said = [
    network !== undefined && { type: "network" as const, name: network },
    bridge !== undefined && { type: "bridge" as const, name: bridge },
    direct !== undefined && { type: "direct" as const, name: direct },
    user !== undefined && { type: "user" as const, name: user },
  ].filter((each) => each !== false);
  if (said.length > 1) {
    throw new ContractError("InvalidInput", { reason: "say one of network, bridge, direct and user" });
  }
  return said[0];
}

/**
 * @throws {ContractError} NetworkNotFound, NetworkNotActive, NetworkNotResponding, BridgeNotFound, HostInterfaceNotFound
 */
async function requirePlug(host: LibvirtHost, { type, name }: NicSource, isLive: boolean): Promise<void> {
  if (type === "network") {
    const { inventory } = host;
    requireNetworksRespond(host);
    // Somebody may have made or started it a moment ago: a refusal is worth a call.
    if (!inventory.networks.record(name)?.active) await inventory.networks.reread();
    const network = inventory.networks.record(name);
    if (network === undefined) throw new ContractError("NetworkNotFound", { network: name });
    if (isLive && !network.active) throw new ContractError("NetworkNotActive", { network: name });
    return;
  }
  if (type === "user") {
    const reason = name === "passt" ? await host.passt.missing() : undefined;
    if (reason !== undefined) throw new ContractError("NotOnThisHost", { what: "passt", reason });
    return;
  }
  if (host.machine === null) return; // libvirt says it when the card is plugged in
  const there = (await host.machine.interfaces()).some((each) =>
    each.name === name && (type === "direct" || each.bridge)
  );
  if (there) return;
  throw type === "bridge"
    ? new ContractError("BridgeNotFound", { bridge: name })
    : new ContractError("HostInterfaceNotFound", { name });
}

/** @throws {ContractError} FilterNotFound: a VM with a filter that is gone does not start */
async function requireFilter({ link }: LibvirtHost, filter: string | undefined): Promise<void> {
  if (filter === undefined || filter === "") return;
  if (!(await link.call("filterNames").catch(noFilters)).includes(filter)) {
    throw new ContractError("FilterNotFound", { filter });
  }
}

/** @throws {ContractError} InvalidInput: what is no address, and addresses that nothing looks at */
function requireAddresses(addresses: readonly string[] | undefined, filter: string | undefined): void {
  const wrong = addresses?.find((text) => parseAddress(text) === undefined);
  if (wrong !== undefined) {
    throw new ContractError("InvalidInput", {
      field: "filterAddresses",
      reason: message`${wrong} is not an IP address`,
    });
  }
  if (addresses !== undefined && addresses.length > 0 && !filter) {
    throw new ContractError("InvalidInput", {
      field: "filterAddresses",
      reason: "the addresses are for a network filter: choose one, or anti-spoofing",
    });
  }
}

/**
 * Adds a network card.
 *
 * @throws {ContractError}
 */
export async function attachNic(
  host: LibvirtHost,
  input: Input<"attach_nic">,
  principal: Pick<Principal, "rights">,
): Promise<Output<"attach_nic">> {
  const vm = host.requireVm(input.vmId);
  const places = changedPlaces(host, vm, input);
  const source = plugOf(input);
  if (source === undefined) {
    throw new ContractError("InvalidInput", { reason: "say one of network, bridge, direct and user" });
  }
  const wanted = input.mac === undefined ? undefined : requireMac(input.mac);
  let output: Output<"attach_nic"> | undefined;
  await host.claims.operate(vm, "attaching a network interface", async () => {
    try {
      await requireNoSavedMemory(host, vm);
      guardNewNic({ ...principal, hostId: host.id }, await configurationsOf(host, vm));
      await requirePlug(host, source, places.live);
      await requireFilter(host, input.filter);
      const taken = await takenMacs(host);
      const user = wanted === undefined ? undefined : taken.get(wanted);
      if (user !== undefined) throw new ContractError("MacInUse", { mac: wanted, vm: user });
      const mac = wanted ?? freeMac(new Set(taken.keys()));
      using _held = holdMac(host, mac, vm);
      const { model = "virtio", filter, filterAddresses, linkUp } = input;
      requireAddresses(filterAddresses, filter);
      const limits = nicLimitsIn(input);
      requireNicLimits(undefined, limits, source);
      const element = renderXml(nicXml({ source, mac, model, filter, filterAddresses, linkUp, limits }));
      const done = await attachElement(host, vm, element, places, input, "network interface");
      output = { live: done.live, persistent: done.config, mac };
    } catch (error) {
      throw deviceError(error, "AttachFailed", "attach_nic", { device: "network interface" });
    }
  });
  return output!;
}

/**
 * Takes a network card away.
 *
 * @throws {ContractError}
 */
export async function detachNic(
  host: LibvirtHost,
  input: Input<"detach_nic">,
  principal: Pick<Principal, "rights" | "name">,
): Promise<Output<"detach_nic">> {
  const vm = host.requireVm(input.vmId);
  const mac = requireNic(input.mac);
  const places = changedPlaces(host, vm, input);
  let output: Output<"detach_nic"> | undefined;
  const run = async (operation: Operation) => {
    try {
      await requireNoSavedMemory(host, vm);
      const { live, next } = await configurationsOf(host, vm);
      guardDetachedNic({ ...principal, hostId: host.id }, { live, next }, mac);
      const inLive = places.live ? nicIn(live, mac) : undefined;
      const inNext = places.config ? nicIn(next, mac) : undefined;
      if (!inLive && !inNext) throw new ContractError("NoSuchNic", { mac });
      await remove(host, vm, {
        device: `network interface ${mac}`,
        live: live && inLive && { document: live, element: inLive },
        next: next && inNext && { document: next, element: inNext },
        find: (document) => nicIn(document, mac),
      }, operation);
      output = { live: inLive !== undefined, persistent: inNext !== undefined };
    } catch (error) {
      throw deviceError(error, "DetachFailed", "detach_nic", { device: `network interface ${mac}` });
    }
  };
  const label = "detaching a network interface";
  await changeDevices(host, vm, { command: "detach_nic", actor: principal.name, label }, run);
  return output!;
}

/** The part of a change that a running VM takes at once. QEMU cannot swap a card's model or address. */
function atOnce({ source, linkUp, filter, filterAddresses }: NicChange): NicChange | undefined {
  const change = { source, linkUp, filter, filterAddresses };
  return Object.values(change).every((value) => value === undefined) ? undefined : change;
}

/** Changes a running VM's card. Another network shows to the guest as its cable pulled and plugged in again. */
async function changeLive(
  { link }: LibvirtHost,
  vm: VM,
  document: XmlDocument,
  mac: string,
  change: NicChange,
  steps: Steps,
): Promise<void> {
  const find = () => nicIn(document, mac)!;
  const update = (xml: string) =>
    link.call("domainUpdateDevice", { uuid: vm.id, xml, live: true, config: false });
  const before = document.sourceOf(find()), run = runOf(document);
  const wasUp = nicOf(find()).linkUp;
  const isUp = change.linkUp ?? wasUp;
  const replug = change.source !== undefined && isUp;
  changeNic(document, find, replug ? { ...change, linkUp: false } : change);
  const after = document.sourceOf(find()), at = { uuid: vm.id, name: vm.name, run };
  const noted = steps.add({
    kind: "device-changed",
    ...at,
    device: `network interface ${mac}`,
    before,
    after,
  });
  await update(after).catch((error) => {
    // What libvirt refuses, it has not made.
    if (!isConnectionLost(error)) noted.drop();
    throw error;
  });
  if (!replug) return;
  changeNic(document, find, { linkUp: true });
  await update(document.sourceOf(find()));
}

/** Changes the card the next start has. */
async function changeNext(
  { link }: LibvirtHost,
  vm: VM,
  document: XmlDocument,
  mac: string,
  change: NicChange,
): Promise<void> {
  if (change.mac !== undefined) {
    // libvirt finds the card to update by its address: another address is another definition.
    const secure = await link.call("domainXml", { uuid: vm.id, secure: true, inactive: true });
    const whole = new XmlDocument(secure);
    changeNic(whole, () => nicIn(whole, mac) ?? nicIn(whole, change.mac!)!, change);
    await link.call("domainDefine", { xml: whole.toString() });
    return;
  }
  const find = () => nicIn(document, mac)!;
  changeNic(document, find, change);
  const xml = document.sourceOf(find());
  await link.call("domainUpdateDevice", { uuid: vm.id, xml, live: false, config: true });
}

/**
 * Changes a network card: at once where QEMU can, and for the next start.
 *
 * @throws {ContractError}
 */
export async function updateNic(
  host: LibvirtHost,
  input: Input<"update_nic">,
  principal: Pick<Principal, "rights" | "name">,
): Promise<Output<"update_nic">> {
  const vm = host.requireVm(input.vmId);
  const mac = requireNic(input.mac);
  const wanted = input.newMac === undefined ? undefined : requireMac(input.newMac);
  const newMac = wanted === mac ? undefined : wanted;
  const { linkUp, filter, filterAddresses, model } = input;
  const limited = nicLimitsIn(input), limits = Object.keys(limited).length > 0 ? limited : undefined;
  const change: NicChange = {
    source: plugOf(input),
    linkUp,
    filter,
    filterAddresses,
    limits,
    model,
    mac: newMac,
  };
  if (Object.values(change).every((value) => value === undefined)) {
    throw new ContractError("InvalidInput", { reason: "say what to change" });
  }
  const now = atOnce(change), isReplugged = (now ?? model ?? newMac) !== undefined;
  if (!vm.persistent && (model !== undefined || newMac !== undefined)) {
    throw new ContractError("VmNotPersistent");
  }
  let output: Output<"update_nic"> | undefined;
  const run = async (operation: Operation) => {
    try {
      if (isReplugged) await requireNoSavedMemory(host, vm);
      const { live, next } = await configurationsOf(host, vm);
      guardChangedNic({ ...principal, hostId: host.id }, { live, next }, mac, change);
      const inLive = (now ?? limits) !== undefined && nicIn(live, mac) !== undefined;
      const inNext = vm.persistent && nicIn(next, mac) !== undefined;
      if (!inLive && !inNext) throw new ContractError("NoSuchNic", { mac });
      const card = nicIn(next ?? live, mac) ?? nicIn(live, mac);
      const has = card && nicOf(card).filter;
      requireAddresses(filterAddresses, filter ?? has);
      for (
        const each of limits ?? change.source ? [inLive && nicIn(live, mac), inNext && nicIn(next, mac)] : []
      ) {
        if (each) requireNicLimits(each, limited, change.source);
      }
      if (change.source !== undefined) await requirePlug(host, change.source, inLive);
      await requireFilter(host, filter);
      const user = newMac === undefined ? undefined : (await takenMacs(host, vm)).get(newMac);
      if (user !== undefined) throw new ContractError("MacInUse", { mac: newMac, vm: user });
      using _held = newMac === undefined ? null : holdMac(host, newMac, vm);
      const mayWait = (error: unknown) => {
        if (!inNext || !cannotLive(error)) throw error;
        return false;
      };
      let isDone = live !== undefined && inLive, unlimit = () => Promise.resolve();
      if (live && inLive && limits) {
        const find = () => nicIn(live, mac)!;
        isDone = await limitLiveNic(host, vm, live, find, limits, operation).then((back) => {
          unlimit = back;
          return true;
        }, mayWait);
      }
      if (live && inLive && now) {
        isDone = await changeLive(host, vm, live, mac, now, operation).then(() => isDone, (error) => {
          // From one network of Open vSwitch to another, for one: it waits for the next start.
          if (change.source === undefined) throw error;
          const isWaiting = mayWait(error);
          // Its limits are those of what it is plugged into next: they wait with it.
          return unlimit().then(() => isWaiting);
        });
      }
      if (next && inNext) await changeNext(host, vm, next, mac, change);
      const network = card && nicOf(card).network;
      const oldMac = mac.split("@")[0]!,
        warnings = newMac === undefined ? [] : [
          ...network === undefined ? [] : leftLeases(host, network, oldMac, newMac),
          ...await leftInSeed(host, vm, oldMac, newMac),
        ];
      output = { live: isDone, persistent: inNext, ...(warnings.length > 0 && { warnings }) };
    } catch (error) {
      throw deviceError(error, "UpdateFailed", "update_nic");
    }
  };
  const label = "changing a network interface";
  await changeDevices(host, vm, { command: "update_nic", actor: principal.name, label }, run);
  return output!;
}
