/** Whether the host's devices of a VM are still those that it was given. */
import { ContractError, type VM } from "../../../lib/contract/mod.ts";
import {
  type DeviceIdentity,
  identitiesXml,
  identityText,
  knownIdentities,
  mayBeOne,
  takenNames,
} from "../../../lib/formats/xml/device_identity.ts";
import { mayBeSame, parseRef } from "../../../lib/formats/xml/host_device.ts";
import { DEVICES_PREFIX, DEVICES_URI } from "../../../lib/formats/xml/metadata.ts";
import type { NodeDevice } from "../../../lib/formats/xml/node_device.ts";
import { parseXml, type XmlElement } from "../../../lib/formats/xml/tree.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { knownNodeDevices } from "../../host_devices/devices.ts";
import { setMetadata } from "../own_metadata.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { log } from "../../log.ts";

/** Identity of a host device, from the kernel's sysfs; of another host, from libvirt's list alone. */
async function identityOf(
  { link }: LibvirtHost,
  { path, capability: is }: NodeDevice,
): Promise<DeviceIdentity | undefined> {
  if (is.kind !== "pci" && is.kind !== "usb") return undefined;
  const model = `${is.vendorId}:${is.productId}`;
  const { machine } = link;
  if (machine === null || path === undefined) return { model };
  const told = async (file: string) => {
    const text = (await machine.kernelText(`${path}/${file}`).catch(() => undefined))?.trim();
    return text ? oneLine(text, 100) : undefined;
  };
  if (is.kind === "usb") {
    const serial = await told("serial");
    return { model, ...(serial !== undefined && { serial }) };
  }
  const parts = await Promise.all([told("subsystem_vendor"), told("subsystem_device")]);
  const [vendor, device] = parts.map((part) => part?.replace(/^0x/, ""));
  return { model, ...(vendor !== undefined && device !== undefined && { subsystem: `${vendor}:${device}` }) };
}

/** Identities of the host's present devices that a VM's devices name, by name; missing ones are left out. */
async function identitiesNow(
  host: LibvirtHost,
  names: readonly string[],
): Promise<Map<string, DeviceIdentity[]>> {
  const found = new Map<string, DeviceIdentity[]>(), all = await knownNodeDevices(host) ?? [];
  for (const name of names) {
    const ref = parseRef(name);
    const meant = all.filter(({ capability: is }) =>
      ref !== undefined &&
      (is.kind === "pci"
        ? mayBeSame({ kind: "pci", address: is.address }, ref)
        : is.kind === "usb" && mayBeSame(
          { kind: "usb", model: `${is.vendorId}:${is.productId}`, place: { bus: is.bus, device: is.device } },
          ref,
        ))
    );
    const told = await Promise.all(meant.map((each) => identityOf(host, each)));
    const here = told.filter((each) => each !== undefined);
    if (here.length > 0) found.set(name, here);
  }
  return found;
}

/** @throws {LibvirtError} @throws {ContractError} UpdateFailed */
async function keep(
  host: LibvirtHost,
  uuid: string,
  identities: ReadonlyMap<string, DeviceIdentity>,
): Promise<void> {
  const place = { prefix: DEVICES_PREFIX, uri: DEVICES_URI };
  await setMetadata(host, uuid, place, () => identitiesXml(identities));
}

const nextRoot = async ({ link }: LibvirtHost, uuid: string): Promise<XmlElement> =>
  parseXml(await link.call("domainXml", { uuid, secure: false, inactive: true }));

/**
 * Notes what the devices of a VM are, of those of which that is not known.
 *
 * @param again is noted again: it has just been given
 * @throws {LibvirtError}
 */
export async function rememberDevices(
  host: LibvirtHost,
  vm: Pick<VM, "id" | "name">,
  again?: string,
): Promise<void> {
  const root = await nextRoot(host, vm.id), names = takenNames(root), known = knownIdentities(root);
  const missing = names.filter((name) => name === again || !known.has(name));
  if (missing.length === 0 && [...known.keys()].every((name) => names.includes(name))) return;
  const now = await identitiesNow(host, missing);
  const kept = names.flatMap((name): [string, DeviceIdentity][] => {
    const [one, ...others] = now.get(name) ?? [];
    // Of several that are alike nothing is noted: which one it gets is not known before
    const identity = missing.includes(name) ? others.length === 0 ? one : undefined : known.get(name);
    return identity === undefined ? [] : [[name, identity]];
  });
  if (kept.length > 0 || known.size > 0) await keep(host, vm.id, new Map(kept));
}

/** A device of a configuration whose name leads to another device by now, as an error: HostDeviceChanged. */
async function changeIn(host: LibvirtHost, root: XmlElement): Promise<ContractError | undefined> {
  const known = knownIdentities(root), names = takenNames(root).filter((name) => known.has(name));
  const now = names.length === 0 ? [] : await identitiesNow(host, names);
  for (const [device, here] of now) {
    const was = known.get(device)!;
    if (here.some((each) => mayBeOne(each, was))) continue;
    const details = { device, was: identityText(was), now: here.map(identityText).join(", ") };
    return new ContractError("HostDeviceChanged", details);
  }
}

/** The same of a VM's stored configuration. Nothing is noted. @throws {LibvirtError} */
export async function deviceChange(
  host: LibvirtHost,
  vm: Pick<VM, "id">,
): Promise<ContractError | undefined> {
  return await changeIn(host, await nextRoot(host, vm.id));
}

/**
 * Refuses a VM of which a device's name leads to another device by now. What is not known of one yet is noted.
 *
 * @throws {ContractError} HostDeviceChanged @throws {LibvirtError}
 */
export async function requireSameDevices(host: LibvirtHost, vm: Pick<VM, "id" | "name">): Promise<void> {
  const root = await nextRoot(host, vm.id);
  if (takenNames(root).length === 0) return;
  const change = await changeIn(host, root);
  if (change !== undefined) throw change;
  await rememberDevices(host, vm).catch((error) =>
    log.warn("what the host's devices of a VM are could not be noted", { vm: vm.name, error })
  );
}
