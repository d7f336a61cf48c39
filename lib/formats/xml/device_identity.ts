/**
 * Identities of a VM's host devices: addresses on PCI and USB name another device after a start of the host, or when a
 * device is plugged in. Kept in the VM's metadata. Pure.
 */

import { refText, takenDevices } from "./host_device.ts";
import { DEVICES_PREFIX } from "./metadata.ts";
import { child, escapeXml, type XmlElement } from "./tree.ts";

/** Properties that identify a device. */
export interface DeviceIdentity {
  /** Vendor and product: `8086:1533`. */
  readonly model: string;
  /** Of PCI: who made the card, and which: `1028:0615`. */
  readonly subsystem?: string;
  readonly serial?: string;
}

/** As commands name a device → what it was. */
export type DeviceIdentities = ReadonlyMap<string, DeviceIdentity>;

const FIELDS = ["model", "subsystem", "serial"] as const;

/** Identities in a domain's metadata, by the name that commands use for a device. */
export function knownIdentities(root: XmlElement): Map<string, DeviceIdentity> {
  const kept = child(child(root, "metadata"), `${DEVICES_PREFIX}:devices`);
  const found = new Map<string, DeviceIdentity>();
  for (const { attributes: { at, model, subsystem, serial } } of kept?.children ?? []) {
    if (at === undefined || model === undefined) continue;
    found.set(at, {
      model,
      ...(subsystem !== undefined && { subsystem }),
      ...(serial !== undefined && { serial }),
    });
  }
  return found;
}

/** The element that keeps it; null where there is nothing to keep. libvirt declares the namespace itself. */
export function identitiesXml(identities: DeviceIdentities): string | null {
  if (identities.size === 0) return null;
  const device = ([at, identity]: [string, DeviceIdentity]) => {
    const told = FIELDS.flatMap((field) => {
      const value = identity[field];
      return value === undefined ? [] : [`${field}="${escapeXml(value)}"`];
    });
    return `<device at="${escapeXml(at)}" ${told.join(" ")}/>`;
  };
  return `<devices>${[...identities].map(device).join("")}</devices>`;
}

/** Whether two may be of one device: as far as both say a thing, they say the same. */
export const mayBeOne = (a: DeviceIdentity, b: DeviceIdentity): boolean =>
  FIELDS.every((field) => a[field] === undefined || b[field] === undefined || a[field] === b[field]);

/** A device in words: `8086:1533 (card 1028:0615), serial AA12`. */
export function identityText({ model, subsystem, serial }: DeviceIdentity): string {
  const card = subsystem === undefined ? "" : ` (card ${subsystem})`;
  return `${model}${card}${serial === undefined ? "" : `, serial ${serial}`}`;
}

/** The names of the devices that a configuration takes for itself. */
export const takenNames = (root: XmlElement): string[] => [...new Set(takenDevices(root).map(refText))];
