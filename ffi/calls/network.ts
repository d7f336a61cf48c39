/** Calls on virtual networks. */
import { changedNetwork, type NetworkChange } from "../../lib/formats/xml/network_edit.ts";
import { type Connection, Handle, listOf, readList } from "../connection.ts";
import { LibvirtError, VIR_ERR } from "../error.ts";
import { libvirt, notNull, ok, takeString } from "../library.ts";
import { cString, readString, readUuid } from "../memory.ts";

/** A network as libvirt reports it. */
export interface NetworkRecord {
  readonly uuid: string;
  readonly name: string;
  readonly active: boolean;
  readonly persistent: boolean;
  readonly autostart: boolean;
  readonly xml: string;
  /** XML of its next start, if it runs and has a definition. */
  readonly nextXml: string | undefined;
}

/** `VIR_NETWORK_XML_INACTIVE` */
const XML_INACTIVE = 1;

/** XML of a running network's next start; undefined if the driver keeps none (test:///). */
function nextXml(network: Deno.PointerValue): string | undefined {
  try {
    return takeString(libvirt().symbols.virNetworkGetXMLDesc(network, XML_INACTIVE));
  } catch (error) {
    if (error instanceof LibvirtError && error.code === VIR_ERR.INVALID_ARG) return undefined;
    throw error;
  }
}

/** Reads one network. @throws {LibvirtError} code NO_NETWORK when it is gone */
function recordOf(item: Deno.PointerObject): NetworkRecord {
  const { symbols } = libvirt(), autostart = new Int32Array(1);
  const persistent = ok(symbols.virNetworkIsPersistent(item)) === 1;
  if (persistent) ok(symbols.virNetworkGetAutostart(item, autostart));
  const active = ok(symbols.virNetworkIsActive(item)) === 1;
  return {
    uuid: readUuid((buffer) => symbols.virNetworkGetUUIDString(item, buffer)),
    name: readString(symbols.virNetworkGetName(item)),
    active,
    persistent,
    autostart: autostart[0] === 1,
    xml: takeString(symbols.virNetworkGetXMLDesc(item, 0)),
    nextXml: active && persistent ? nextXml(item) : undefined,
  };
}

/** Reads every network; one that goes in between is left out. Source: virConnectListAllNetworks. */
export function networkScan(connection: Connection): NetworkRecord[] {
  const { symbols } = libvirt();
  const { array, items } = listOf((out) => symbols.virConnectListAllNetworks(connection.pointer, out, 0));
  return readList(array, items, (item) => symbols.virNetworkFree(item), (item) => {
    try {
      return recordOf(item);
    } catch (error) {
      if (error instanceof LibvirtError && error.code === VIR_ERR.NO_NETWORK) return null;
      throw error;
    }
  });
}

/** A DHCP lease that libvirt's dnsmasq gave. */
export interface DhcpLease {
  readonly mac: string;
  readonly address: string;
  readonly prefix: number;
  readonly hostname: string;
  /** Identifier that the client sent: of DHCPv6 its DUID; empty if it sent none. */
  readonly clientId: string;
  /** Seconds since 1970; 0 for a lease that does not end. */
  readonly expires: number;
}

/**
 * The leases of a network. Source: virNetworkGetDHCPLeases; `struct _virNetworkDHCPLease`: expirytime @8, mac @24,
 * ipaddr @40, prefix @48, hostname @56, clientid @64.
 */
export function networkLeases(connection: Connection, { name }: { name: string }): DhcpLease[] {
  const { symbols } = libvirt();
  using network = connection.network(name);
  const { array, items } = listOf((out) => symbols.virNetworkGetDHCPLeases(network.pointer, null, out, 0));
  return readList(array, items, (item) => symbols.virNetworkDHCPLeaseFree(item), (item) => {
    const view = new Deno.UnsafePointerView(item);
    return {
      mac: readString(view.getPointer(24)),
      address: readString(view.getPointer(40)),
      prefix: view.getUint32(48),
      hostname: readString(view.getPointer(56)),
      clientId: readString(view.getPointer(64)),
      expires: Number(view.getBigInt64(8)),
    };
  });
}

/**
 * Defines a network, has it start with the host and starts it, as far as asked; gives its UUID. Nothing of it is left
 * when a step fails.
 */
export function networkDefine(
  connection: Connection,
  { xml, start, autostart }: { xml: string; start: boolean; autostart: boolean },
): string {
  const { symbols } = libvirt();
  using network = new Handle(
    notNull(symbols.virNetworkDefineXML(connection.pointer, cString(xml))),
    (pointer) => symbols.virNetworkFree(pointer),
  );
  try {
    if (autostart) ok(symbols.virNetworkSetAutostart(network.pointer, 1));
    if (start) ok(symbols.virNetworkCreate(network.pointer));
  } catch (error) {
    symbols.virNetworkUndefine(network.pointer);
    throw error;
  }
  return readUuid((buffer) => symbols.virNetworkGetUUIDString(network.pointer, buffer));
}

/** Starts a defined network. */
export function networkStart(connection: Connection, { name }: { name: string }): null {
  using network = connection.network(name);
  ok(libvirt().symbols.virNetworkCreate(network.pointer));
  return null;
}

/** Stops a network; a transient one is gone. Source: virNetworkDestroy. */
export function networkStop(connection: Connection, { name }: { name: string }): null {
  using network = connection.network(name);
  ok(libvirt().symbols.virNetworkDestroy(network.pointer));
  return null;
}

/** Has a network start with the host, or not. */
export function networkSetAutostart(
  connection: Connection,
  { name, autostart }: { name: string; autostart: boolean },
): null {
  using network = connection.network(name);
  ok(libvirt().symbols.virNetworkSetAutostart(network.pointer, autostart ? 1 : 0));
  return null;
}

/** Stops a network where it runs, and forgets its definition. */
export function networkDelete(connection: Connection, { name }: { name: string }): null {
  const { symbols } = libvirt();
  using network = connection.network(name);
  const persistent = ok(symbols.virNetworkIsPersistent(network.pointer)) === 1;
  if (ok(symbols.virNetworkIsActive(network.pointer)) === 1) ok(symbols.virNetworkDestroy(network.pointer));
  if (persistent) ok(symbols.virNetworkUndefine(network.pointer));
  return null;
}

/** `virNetworkUpdateCommand` */
const UPDATE = { delete: 2, add: 3 } as const;
/** `virNetworkUpdateSection`: VIR_NETWORK_SECTION_IP_DHCP_HOST, …_RANGE, …_DNS_HOST */
const SECTION = { host: 4, range: 5, dns: 10 } as const;
/** `VIR_NETWORK_UPDATE_AFFECT_LIVE`, `…_CONFIG` */
const AFFECT_LIVE = 1, AFFECT_CONFIG = 2;

/** One change of a network's DHCP or DNS. */
export interface DhcpStep {
  readonly does: keyof typeof UPDATE;
  readonly section: keyof typeof SECTION;
  /** Index of the network's `<ip>` element, from 0; -1 for DNS, which is the whole network's. */
  readonly subnet: number;
  readonly xml: string;
  /** The only configuration that is changed: of the running network, or of its next start; both if left out. */
  readonly only?: "live" | "config";
}

/** Steps that were done, until they are kept. */
interface Done {
  readonly live: boolean;
  readonly persistent: boolean;
  undo(): void;
}

/** Carries steps out in order, at once where it runs and for its next start; undoes them when one fails. */
function runSteps(network: Handle, steps: readonly DhcpStep[]): Done {
  const { symbols } = libvirt();
  const live = ok(symbols.virNetworkIsActive(network.pointer)) === 1;
  const persistent = ok(symbols.virNetworkIsPersistent(network.pointer)) === 1;
  const flagsOf = ({ only }: DhcpStep) =>
    (live && only !== "config" ? AFFECT_LIVE : 0) | (persistent && only !== "live" ? AFFECT_CONFIG : 0);
  const update = (step: DhcpStep) => {
    const { does, section, subnet, xml } = step;
    const { pointer } = network;
    return symbols.virNetworkUpdate(
      pointer,
      UPDATE[does],
      SECTION[section],
      subnet,
      cString(xml),
      flagsOf(step),
    );
  };
  const done: DhcpStep[] = [];
  const undo = () => {
    for (const step of done.reverse()) update({ ...step, does: step.does === "add" ? "delete" : "add" });
  };
  try {
    for (const step of steps) {
      ok(update(step));
      done.push(step);
    }
  } catch (error) {
    undo();
    throw error;
  }
  return { live, persistent, undo };
}

/**
 * Changes a network's static leases and ranges, in order; undoes what was done when a step fails. At once where it
 * runs, and for its next start where it has a definition. Source: virNetworkUpdate.
 */
export function networkUpdateDhcp(
  connection: Connection,
  { name, steps }: { name: string; steps: readonly DhcpStep[] },
): { live: boolean; persistent: boolean } {
  using network = connection.network(name);
  const { live, persistent } = runSteps(network, steps);
  return { live, persistent };
}

/**
 * Changes a network's DNS entries as {@link networkUpdateDhcp} does, then its definition, which a running network
 * follows from its next start on. Nothing is changed when one of them fails. Source: virNetworkDefineXML.
 */
export function networkChange(
  connection: Connection,
  { name, steps, change }: { name: string; steps: readonly DhcpStep[]; change: NetworkChange | undefined },
): null {
  const { symbols } = libvirt();
  using network = connection.network(name);
  const { undo } = runSteps(network, steps);
  if (change === undefined) return null;
  try {
    const before = takeString(symbols.virNetworkGetXMLDesc(network.pointer, XML_INACTIVE));
    using _defined = new Handle(
      notNull(symbols.virNetworkDefineXML(connection.pointer, cString(changedNetwork(before, change)))),
      (pointer) => symbols.virNetworkFree(pointer),
    );
  } catch (error) {
    undo();
    throw error;
  }
  return null;
}
