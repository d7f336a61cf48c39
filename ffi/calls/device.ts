/** Adding, removing and changing a domain's devices. */
import type { Connection } from "../connection.ts";
import { libvirt, ok } from "../library.ts";
import { cString } from "../memory.ts";
import { writeParams } from "../typed_params.ts";

/** A device of a domain, as XML, and which of its configurations is meant. */
export interface DeviceChange {
  readonly uuid: string;
  readonly xml: string;
  /** The running VM. */
  readonly live: boolean;
  /** The configuration of its next start. */
  readonly config: boolean;
}

/** Bits of `virDomainDeviceModifyFlags`. */
const AFFECT = { LIVE: 1, CONFIG: 2, FORCE: 4 } as const;

const flagsOf = ({ live, config }: DeviceChange) => (live ? AFFECT.LIVE : 0) | (config ? AFFECT.CONFIG : 0);

/** Adds a device. Source: virDomainAttachDeviceFlags. */
export function domainAttachDevice(connection: Connection, change: DeviceChange): null {
  using domain = connection.domain(change.uuid);
  ok(
    libvirt().symbols.virDomainAttachDeviceFlags(domain.pointer, cString(change.xml), flagsOf(change)),
  );
  return null;
}

/**
 * Removes a device. In a running VM this only asks the guest: the `device-removed` event tells when it is done,
 * `device-removal-failed` that the guest refused. Source: virDomainDetachDeviceFlags.
 */
export function domainDetachDevice(connection: Connection, change: DeviceChange): null {
  using domain = connection.domain(change.uuid);
  ok(
    libvirt().symbols.virDomainDetachDeviceFlags(domain.pointer, cString(change.xml), flagsOf(change)),
  );
  return null;
}

/** Changes a device; `force` takes a medium out of a drive that the guest has locked. Source: virDomainUpdateDeviceFlags. */
export function domainUpdateDevice(
  connection: Connection,
  change: DeviceChange & { readonly force?: boolean },
): null {
  using domain = connection.domain(change.uuid);
  const flags = flagsOf(change) | (change.force ? AFFECT.FORCE : 0);
  ok(libvirt().symbols.virDomainUpdateDeviceFlags(domain.pointer, cString(change.xml), flags));
  return null;
}

/** `VIR_DOMAIN_BLOCK_RESIZE_BYTES`; without it the size counts in KiB. */
const RESIZE_BYTES = 1;

/** Makes the disk of a running domain larger, to `bytes`; its guest sees it at once. Source: virDomainBlockResize. */
export function domainBlockResize(
  connection: Connection,
  { uuid, target, bytes }: { uuid: string; target: string; bytes: number },
): null {
  using domain = connection.domain(uuid);
  const { symbols } = libvirt();
  ok(symbols.virDomainBlockResize(domain.pointer, cString(target), BigInt(bytes), RESIZE_BYTES));
  return null;
}

/** Sets limits of a running domain's disk by libvirt's names; 0 is none. Source: virDomainSetBlockIoTune. */
export function domainSetBlockIoTune(
  connection: Connection,
  { uuid, target, limits }: { uuid: string; target: string; limits: Readonly<Record<string, number>> },
): null {
  using domain = connection.domain(uuid);
  const { symbols } = libvirt();
  const params = writeParams(limits, "ullong"), count = Object.keys(limits).length;
  ok(symbols.virDomainSetBlockIoTune(domain.pointer, cString(target), params, count, AFFECT.LIVE));
  return null;
}

/**
 * Sets limits of a running domain's network card by libvirt's names; 0 is none. Source: virDomainSetInterfaceParameters.
 *
 * @param device the host's end of it: a MAC address need not be one card's alone
 */
export function domainSetInterfaceLimits(
  connection: Connection,
  { uuid, device, limits }: { uuid: string; device: string; limits: Readonly<Record<string, number>> },
): null {
  using domain = connection.domain(uuid);
  const { symbols } = libvirt();
  const params = writeParams(limits, "uint"), count = Object.keys(limits).length;
  ok(symbols.virDomainSetInterfaceParameters(domain.pointer, cString(device), params, count, AFFECT.LIVE));
  return null;
}
