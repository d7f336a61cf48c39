/** A VM's two configurations – what runs, what starts next – and which of them a change is meant for. */
import { ContractError, type ErrorCode, type VM } from "../../../lib/contract/mod.ts";
import { normalMac } from "../../../lib/formats/xml/device_nic.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { devicePlace, nicKeys } from "../../../lib/formats/xml/hardware.ts";
import { child, children, type XmlElement } from "../../../lib/formats/xml/tree.ts";
import { contractError } from "../../libvirt/failure.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";

/** Configurations that a change is made in: the running VM's, the stored one, or both. */
export interface Places {
  readonly live: boolean;
  readonly config: boolean;
}

/** The caller's choice of configurations. */
export interface ApplyScope {
  readonly live?: boolean;
  readonly persistent?: boolean;
}

/**
 * Configurations for a change: the ones asked for, else all that are possible.
 *
 * @throws {ContractError} VmNotRunning, VmNotPersistent; InvalidInput when none is left
 */
export function changedPlaces({ inventory }: LibvirtHost, vm: VM, { live, persistent }: ApplyScope): Places {
  const active = inventory.active().includes(vm.id);
  if (live === true && !active) throw new ContractError("VmNotRunning");
  if (persistent === true && !vm.persistent) throw new ContractError("VmNotPersistent");
  const places = { live: live ?? active, config: persistent ?? vm.persistent };
  if (!places.live && !places.config) {
    throw new ContractError("InvalidInput", {
      reason: "neither the running VM (live) nor its next start (persistent) is to be changed",
    });
  }
  return places;
}

/** A VM's configurations, to read and to edit; undefined is one it does not have. */
export interface Configurations {
  readonly live: XmlDocument | undefined;
  readonly next: XmlDocument | undefined;
}

/** Reads a VM's configurations. @throws {LibvirtError} */
export async function configurationsOf({ link, inventory }: LibvirtHost, vm: VM): Promise<Configurations> {
  const read = async (inactive: boolean) =>
    new XmlDocument(await link.call("domainXml", { uuid: vm.id, secure: false, inactive }));
  const active = inventory.active().includes(vm.id);
  return {
    live: active ? await read(false) : undefined,
    next: vm.persistent || !active ? await read(true) : undefined,
  };
}

/** libvirt's number of the run that a live configuration is of. */
export const runOf = (live: XmlDocument): string => live.root.attributes.id ?? "";

const devices = (document: XmlDocument | undefined, name: string) =>
  children(document?.find("devices"), name);

/** The disk with this target. */
export function diskIn(document: XmlDocument | undefined, target: string): XmlElement | undefined {
  return devices(document, "disk").find((each) => child(each, "target")?.attributes.dev === target);
}

/**
 * The network card with this address: a MAC address, or `MAC@place` where several cards have the same.
 *
 * @throws {ContractError} NicAmbiguous for a MAC address that several cards have
 */
export function nicIn(document: XmlDocument | undefined, address: string): XmlElement | undefined {
  if (document === undefined) return undefined;
  const [mac, place] = address.split("@");
  const found = [...nicKeys(document.root)].filter(([element]) =>
    normalMac(child(element, "mac")?.attributes.address ?? "") === mac &&
    (place === undefined || devicePlace(element) === place)
  );
  if (found.length > 1) {
    throw new ContractError("NicAmbiguous", { mac, names: found.map(([, key]) => key).join(", ") });
  }
  return found[0]?.[0];
}

/** The targets of all disks in both configurations. */
export function diskTargetsIn({ live, next }: Configurations): Set<string> {
  return new Set(
    [live, next].flatMap((document) => devices(document, "disk"))
      .map((each) => child(each, "target")?.attributes.dev ?? ""),
  );
}

/** Whether a configuration has a controller of this type. */
export function hasController(document: XmlDocument | undefined, type: string): boolean {
  return devices(document, "controller").some((each) => each.attributes.type === type);
}

/** Whether a configuration takes USB devices. */
function takesUsb(document: XmlDocument): boolean {
  return devices(document, "controller").some(({ attributes: { type, model } }) =>
    type === "usb" && model !== "none"
  );
}

/** Whether each of the configurations that are there takes USB devices. */
export const haveUsb = ({ live, next }: Partial<Configurations>): boolean =>
  [live, next].every((document) => document === undefined || takesUsb(document));

/** Refuses a USB device where there is no controller for it. @param device "drive" @throws {ContractError} NoUsbController */
export function requireUsb(
  { name }: Pick<VM, "name">,
  { live, next }: Configurations,
  at: Places,
  device: string,
): void {
  if (haveUsb({ live: at.live ? live : undefined, next: at.config ? next : undefined })) return;
  throw new ContractError("NoUsbController", { name, device });
}

/** Converts an error of libvirt into this error of the contract, with the details that its text needs. */
export function deviceError(
  thrown: unknown,
  code: ErrorCode,
  operation: string,
  details: Record<string, unknown> = {},
): unknown {
  const error = contractError(thrown, code, operation);
  if (!(error instanceof ContractError) || error.code !== code || error === thrown) return error;
  return new ContractError(code, { ...error.details, ...details }, { cause: thrown });
}
