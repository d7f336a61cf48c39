/** Calls on domains. Each runs to its end on a worker's thread and gives plain data. */
import { whileNobodyEdits } from "../edit_lock.ts";
import { isStored } from "./hardware.ts";
import { type DomainSummary, summarizeDomain } from "../../lib/formats/xml/domain.ts";
import { type Connection, type Handle, listOf, readList } from "../connection.ts";
import { LibvirtError, VIR_ERR } from "../error.ts";
import { libvirt, ok, takeString } from "../library.ts";
import { cString, readString, readUuid } from "../memory.ts";
import { withAgentLimit } from "./freeze.ts";
import { countPending } from "./hardware.ts";
import { domainStates } from "./stats.ts";

/** A domain as libvirt reports it. */
export interface DomainRecord {
  readonly uuid: string;
  readonly name: string;
  /** `virDomainState` */
  readonly state: number;
  /** Reason within the state: `virDomainRunningReason` and its sisters. */
  readonly reason: number;
  readonly persistent: boolean;
  readonly autostart: boolean;
  readonly managedSave: boolean;
  /** Summary of its live XML, or of its stored XML while it is off. It has no password, only whether there is one. */
  readonly summary: DomainSummary;
  /** How many changes wait for the next boot of a running, stored domain; undefined while that is not known. */
  readonly pending?: number;
  /** When its reading began, in milliseconds since 1970: it shows what happened before. */
  readonly readAt: number;
}

/** State of a domain that costs little to list: enough to notice changes that events missed. */
export interface DomainState {
  readonly uuid: string;
  readonly name: string;
  readonly active: boolean;
  readonly autostart: boolean;
  readonly managedSave: boolean;
}

/** `virConnectListAllDomainsFlags` */
const LIST = { ACTIVE: 1, PERSISTENT: 4, MANAGEDSAVE: 256, AUTOSTART: 1024, HAS_SNAPSHOT: 4096 } as const;
/** `virDomainXMLFlags` */
const XML = { SECURE: 1, INACTIVE: 2 } as const;
/** `virDomainShutdownFlagValues`, `virDomainRebootFlagValues` (the same numbers); `any` leaves it to the driver. */
const ASK = { any: 0, acpi: 1, agent: 2 } as const;
/** `virDomainUndefineFlagsValues`: managed save, snapshots' and checkpoints' metadata go with the domain, NVRAM stays. */
const UNDEFINE_KEEP_NVRAM = 1 | 2 | 8 | 16;
/** NVRAM alone goes with the domain. */
const UNDEFINE_NVRAM = 4;
/** The same for a driver that has no NVRAM and no checkpoints, and refuses their flags (test:///). */
const UNDEFINE_PLAIN = 1 | 2;
/** NVRAM and TPM state stay; without the TPM where libvirt is older than 8.9. */
const UNDEFINE_KEEPING = [8 | 64, 8, 0] as const;
/** The same as {@link UNDEFINE_KEEP_NVRAM}, and TPM state stays, too; then without the TPM where libvirt is older than 8.9. */
const UNDEFINE_FOR_BIN = [UNDEFINE_KEEP_NVRAM | 64, UNDEFINE_KEEP_NVRAM, UNDEFINE_PLAIN] as const;
/** `virDomainModificationImpact` */
const AFFECT = { LIVE: 1, CONFIG: 2 } as const;
/** Result of virDomainGetID for a domain that is off: -1, unsigned. */
const NO_ID = 0xffffffff;
/** `VIR_DOMAIN_METADATA_ELEMENT` */
const METADATA_ELEMENT = 2;

/** A domain can vanish between being listed and being asked: that is no error. */
function gone(error: unknown): boolean {
  return error instanceof LibvirtError && error.code === VIR_ERR.NO_DOMAIN;
}

function readDomain(connection: Connection, pointer: Deno.PointerObject): DomainRecord {
  const { symbols } = libvirt();
  const readAt = Date.now();
  const state = new Int32Array(1), reason = new Int32Array(1), autostart = new Int32Array(1);
  ok(symbols.virDomainGetState(pointer, state, reason, 0));
  const persistent = ok(symbols.virDomainIsPersistent(pointer)) === 1;
  // A transient domain has no autostart and the call fails; nothing is lost by not asking.
  if (persistent) ok(symbols.virDomainGetAutostart(pointer, autostart));
  const xml = takeString(symbols.virDomainGetXMLDesc(pointer, XML.SECURE));
  const isActive = symbols.virDomainGetID(pointer) !== NO_ID;
  return {
    uuid: readUuid((buffer) => symbols.virDomainGetUUIDString(pointer, buffer)),
    name: readString(symbols.virDomainGetName(pointer)),
    state: state[0]!,
    reason: reason[0]!,
    persistent,
    autostart: autostart[0] === 1,
    managedSave: persistent && symbols.virDomainHasManagedSaveImage(pointer, 0) === 1,
    summary: summarizeDomain(xml),
    readAt,
    ...(persistent && isActive && {
      pending: countPending(
        connection,
        xml,
        takeString(symbols.virDomainGetXMLDesc(pointer, XML.SECURE | XML.INACTIVE)),
      ),
    }),
  };
}

/** The UUIDs of the domains a flag selects. */
function uuids(connection: Connection, flags: number): Set<string> {
  const { symbols } = libvirt();
  const { array, items } = listOf((out) => symbols.virConnectListAllDomains(connection.pointer, out, flags));
  return new Set(
    readList(
      array,
      items,
      (item) => symbols.virDomainFree(item),
      (item) => readUuid((buffer) => symbols.virDomainGetUUIDString(item, buffer)),
    ),
  );
}

/**
 * Reads every domain whole: a few lists for all of them, and the XML of each. Asking each for the rest as well would
 * cost four more round trips a domain. What changes in between is told by an event.
 * Source: virConnectListAllDomains, virConnectGetAllDomainStats, virDomainGetXMLDesc.
 */
export function domainScan(connection: Connection): DomainRecord[] {
  const { symbols } = libvirt();
  const readAt = Date.now();
  const persistent = uuids(connection, LIST.PERSISTENT);
  const autostart = uuids(connection, LIST.AUTOSTART);
  const managedSave = uuids(connection, LIST.MANAGEDSAVE);
  const states = domainStates(connection);
  const { array, items } = listOf((out) => symbols.virConnectListAllDomains(connection.pointer, out, 0));
  return readList(array, items, (item) => symbols.virDomainFree(item), (item) => {
    try {
      const uuid = readUuid((buffer) => symbols.virDomainGetUUIDString(item, buffer));
      const state = states.get(uuid);
      if (state === undefined) return readDomain(connection, item); // new since, or a driver that tells no states in bulk
      return {
        uuid,
        name: readString(symbols.virDomainGetName(item)),
        ...state,
        persistent: persistent.has(uuid),
        autostart: autostart.has(uuid),
        managedSave: managedSave.has(uuid),
        summary: summarizeDomain(takeString(symbols.virDomainGetXMLDesc(item, XML.SECURE))),
        readAt,
      };
    } catch (error) {
      if (gone(error)) return null;
      throw error;
    }
  });
}

/** Reads one domain; null when there is none. */
export function domainRead(connection: Connection, { uuid }: { uuid: string }): DomainRecord | null {
  try {
    using domain = connection.domain(uuid);
    return readDomain(connection, domain.pointer);
  } catch (error) {
    if (gone(error)) return null;
    throw error;
  }
}

/** UUIDs of the domains that have snapshots: one list, whatever the number of domains. Source: virConnectListAllDomains. */
export const domainsWithSnapshots = (connection: Connection): string[] => [
  ...uuids(connection, LIST.HAS_SNAPSHOT),
];

/** Domains with their state, autostart and saved memory: three lists, for any number of domains. */
export function domainListStates(connection: Connection): DomainState[] {
  const { symbols } = libvirt();
  const active = uuids(connection, LIST.ACTIVE);
  const autostart = uuids(connection, LIST.AUTOSTART);
  const managedSave = uuids(connection, LIST.MANAGEDSAVE);
  const { array, items } = listOf((out) => symbols.virConnectListAllDomains(connection.pointer, out, 0));
  return readList(array, items, (item) => symbols.virDomainFree(item), (item) => {
    const uuid = readUuid((buffer) => symbols.virDomainGetUUIDString(item, buffer));
    return {
      uuid,
      name: readString(symbols.virDomainGetName(item)),
      active: active.has(uuid),
      autostart: autostart.has(uuid),
      managedSave: managedSave.has(uuid),
    };
  });
}

/** A domain of another hypervisor. */
export interface ForeignDomain {
  readonly uuid: string;
  readonly name: string;
  /** Whether it runs, or is suspended. */
  readonly active: boolean;
}

/** The domains of another hypervisor: two lists, whatever the number of domains. Source: virConnectListAllDomains. */
export function foreignDomains(connection: Connection): ForeignDomain[] {
  const { symbols } = libvirt(), active = uuids(connection, LIST.ACTIVE);
  const { array, items } = listOf((out) => symbols.virConnectListAllDomains(connection.pointer, out, 0));
  return readList(array, items, (item) => symbols.virDomainFree(item), (item) => {
    const uuid = readUuid((buffer) => symbols.virDomainGetUUIDString(item, buffer));
    return { uuid, name: readString(symbols.virDomainGetName(item)), active: active.has(uuid) };
  });
}

/** The domain's XML. `secure` includes passwords, `inactive` is the configuration of the next start. */
export function domainXml(
  connection: Connection,
  { uuid, secure, inactive }: { uuid: string; secure: boolean; inactive: boolean },
): string {
  using domain = connection.domain(uuid);
  const flags = (secure ? XML.SECURE : 0) | (inactive ? XML.INACTIVE : 0);
  return takeString(libvirt().symbols.virDomainGetXMLDesc(domain.pointer, flags));
}

/** The XML that a domain's saved memory goes on with, without passwords. Source: virDomainManagedSaveGetXMLDesc. */
export function domainSavedXml(connection: Connection, { uuid }: { uuid: string }): string {
  using domain = connection.domain(uuid);
  return takeString(libvirt().symbols.virDomainManagedSaveGetXMLDesc(domain.pointer, 0));
}

type Of = { uuid: string };

/**
 * Does something to a domain and reads it in the same breath: whoever did it wants to see it, and another call would
 * cost as much again as most of these do. null where there is nothing to read any more, or reading failed: what was
 * done is done all the same.
 */
function actedOn(
  connection: Connection,
  uuid: string,
  act: (pointer: Deno.PointerObject) => number,
): DomainRecord | null {
  using domain = connection.domain(uuid);
  ok(act(domain.pointer));
  try {
    return readDomain(connection, domain.pointer);
  } catch (error) {
    if (error instanceof LibvirtError) return null;
    throw error;
  }
}

/** Starts a domain, from its saved memory where there is one. */
export function domainStart(connection: Connection, { uuid }: Of): DomainRecord | null {
  return actedOn(connection, uuid, (pointer) => libvirt().symbols.virDomainCreateWithFlags(pointer, 0));
}

/** Asks the guest to shut down, by its agent, by the ACPI power button, or as the driver sees fit. */
export function domainShutdown(connection: Connection, { uuid, by }: Of & { by: keyof typeof ASK }): null {
  using domain = connection.domain(uuid);
  ok(libvirt().symbols.virDomainShutdownFlags(domain.pointer, ASK[by]));
  return null;
}

/** Ends QEMU at once. */
export function domainDestroy(connection: Connection, { uuid }: Of): DomainRecord | null {
  return actedOn(connection, uuid, (pointer) => libvirt().symbols.virDomainDestroyFlags(pointer, 0));
}

/** Stops the vCPUs. */
export function domainSuspend(connection: Connection, { uuid }: Of): DomainRecord | null {
  return actedOn(connection, uuid, (pointer) => libvirt().symbols.virDomainSuspend(pointer));
}

/** Lets the vCPUs run again. */
export function domainResume(connection: Connection, { uuid }: Of): DomainRecord | null {
  return actedOn(connection, uuid, (pointer) => libvirt().symbols.virDomainResume(pointer));
}

/** Wakes a guest that put itself to sleep (S3). */
export function domainWakeup(connection: Connection, { uuid }: Of): DomainRecord | null {
  return actedOn(connection, uuid, (pointer) => libvirt().symbols.virDomainPMWakeup(pointer, 0));
}

/** Asks the guest to restart, by its agent, by ACPI, or as the driver sees fit. */
export function domainReboot(connection: Connection, { uuid, by }: Of & { by: keyof typeof ASK }): null {
  using domain = connection.domain(uuid);
  ok(libvirt().symbols.virDomainReboot(domain.pointer, ASK[by]));
  return null;
}

/** Presses the reset button. */
export function domainReset(connection: Connection, { uuid }: Of): DomainRecord | null {
  return actedOn(connection, uuid, (pointer) => libvirt().symbols.virDomainReset(pointer, 0));
}

/** Saves the memory to libvirt's own place and powers off. */
export function domainManagedSave(connection: Connection, { uuid }: Of): null {
  using domain = connection.domain(uuid);
  ok(libvirt().symbols.virDomainManagedSave(domain.pointer, 0));
  return null;
}

/** Deletes the memory that was saved of a domain: its next start boots. Source: virDomainManagedSaveRemove. */
export function domainDiscardMemory(connection: Connection, { uuid }: Of): DomainRecord | null {
  return actedOn(connection, uuid, (pointer) => libvirt().symbols.virDomainManagedSaveRemove(pointer, 0));
}

/** Starts it with the host, or not. */
export function domainSetAutostart(
  connection: Connection,
  { uuid, autostart }: Of & { autostart: boolean },
): null {
  using domain = connection.domain(uuid);
  ok(libvirt().symbols.virDomainSetAutostart(domain.pointer, autostart ? 1 : 0));
  return null;
}

/**
 * Replaces the metadata element of namespace `uri`, in the live and the stored configuration, whichever there are;
 * `xml: null` removes it. Source: virDomainSetMetadata.
 *
 * @param from the secure XML of the next start that the change was made from
 * @returns whether that was still so; otherwise nothing is changed
 */
export function domainSetMetadata(
  connection: Connection,
  { uuid, xml, prefix, uri, from }: Of & { xml: string | null; prefix: string; uri: string; from: string },
): boolean {
  using domain = connection.domain(uuid);
  const { symbols } = libvirt();
  return whileNobodyEdits(uuid, () => {
    if (!isStored(domain, from)) return false;
    const live = ok(symbols.virDomainIsActive(domain.pointer)) === 1 ? AFFECT.LIVE : 0;
    const config = ok(symbols.virDomainIsPersistent(domain.pointer)) === 1 ? AFFECT.CONFIG : 0;
    ok(symbols.virDomainSetMetadata(
      domain.pointer,
      METADATA_ELEMENT,
      xml === null ? null : cString(xml),
      cString(prefix),
      cString(uri),
      live | config,
    ));
    return true;
  });
}

/** Forgets a domain with what libvirt keeps for it; its disks stay, and its NVRAM: see {@link nvramErase}. */
export function domainUndefine(connection: Connection, { uuid }: Of): null {
  using domain = connection.domain(uuid);
  const { symbols, lastError } = libvirt();
  if (symbols.virDomainUndefineFlags(domain.pointer, UNDEFINE_KEEP_NVRAM) === 0) return null;
  const error = lastError();
  if (error.code !== VIR_ERR.INVALID_ARG) throw error;
  ok(symbols.virDomainUndefineFlags(domain.pointer, UNDEFINE_PLAIN));
  return null;
}

/**
 * Deletes an NVRAM file, which libvirt does only together with a domain: defines one that has it and undefines it.
 *
 * @param xml a domain that has nothing but the NVRAM, under an unknown name and id
 */
export function nvramErase(connection: Connection, { xml }: { xml: string }): null {
  const { symbols, lastError } = libvirt();
  const pointer = symbols.virDomainDefineXMLFlags(connection.pointer, cString(xml), 0);
  if (pointer === null) throw lastError();
  try {
    ok(symbols.virDomainUndefineFlags(pointer, UNDEFINE_NVRAM));
  } finally {
    symbols.virDomainFree(pointer);
  }
  return null;
}

/** Forgets a domain and leaves its NVRAM and its TPM's state, which were there before it. */
export function domainUndefineKeeping(connection: Connection, { uuid }: Of): null {
  using domain = connection.domain(uuid);
  const { symbols, lastError } = libvirt();
  for (const flags of UNDEFINE_KEEPING) {
    if (symbols.virDomainUndefineFlags(domain.pointer, flags) === 0) return null;
    const error = lastError();
    if (error.code !== VIR_ERR.INVALID_ARG || flags === 0) throw error;
  }
  return null;
}

/** Forgets a domain with saved memory and the records of snapshots and checkpoints; leaves its NVRAM and its TPM's state. */
export function domainUndefineForBin(connection: Connection, { uuid }: Of): null {
  using domain = connection.domain(uuid);
  const { symbols, lastError } = libvirt();
  for (const flags of UNDEFINE_FOR_BIN) {
    if (symbols.virDomainUndefineFlags(domain.pointer, flags) === 0) return null;
    const error = lastError();
    if (error.code !== VIR_ERR.INVALID_ARG || flags === UNDEFINE_PLAIN) throw error;
  }
  return null;
}

/** Makes or replaces a stored domain. */
export function domainDefine(connection: Connection, { xml }: { xml: string }): null {
  const { symbols } = libvirt();
  const pointer = symbols.virDomainDefineXMLFlags(connection.pointer, cString(xml), 0);
  if (pointer === null) throw libvirt().lastError();
  symbols.virDomainFree(pointer);
  return null;
}

/** Sizes of a disk in bytes. Source: virDomainGetBlockInfo. */
export interface DiskSize {
  readonly target: string;
  /** Size that the guest sees, in bytes. */
  readonly capacity: number;
  /** Bytes that it takes on the host. */
  readonly allocation: number;
}

/**
 * Sizes of disks of a running domain; those that cannot be asked are left out. Never for one that is off: libvirt opens its
 * images then, with the domain's lock held, and a file system that does not respond stops all of libvirt with it.
 */
export function domainDiskSizes(
  connection: Connection,
  { uuid, targets }: Of & { targets: readonly string[] },
): DiskSize[] {
  const { symbols } = libvirt();
  using domain = connection.domain(uuid);
  if (ok(symbols.virDomainIsActive(domain.pointer)) === 0) return [];
  const info = new BigUint64Array(3); // capacity, allocation, physical
  return targets.flatMap((target) => {
    if (symbols.virDomainGetBlockInfo(domain.pointer, cString(target), info, 0) !== 0) return [];
    return [{ target, capacity: Number(info[0]), allocation: Number(info[1]) }];
  });
}

/** An address of a guest's network card. */
export interface GuestAddress {
  readonly mac: string;
  readonly address: string;
  readonly prefix: number;
}

/** `virDomainInterfaceAddressesSource` */
const SOURCE = { lease: 0, agent: 1, arp: 2 } as const;
/** Seconds to wait for a guest agent: a guest that lies or hangs must not hold a thread for long. */
const AGENT_SECONDS = 2;

/**
 * As libvirt tells them.
 *
 * `struct _virDomainInterface`: char *name @0, char *hwaddr @8, unsigned naddrs @16, addrs @24;
 * `struct _virDomainIPAddress`: int type @0, char *addr @8, unsigned prefix @16; 24 bytes.
 */
function interfaceAddresses(
  { pointer }: Pick<Handle, "pointer">,
  source: keyof typeof SOURCE,
): GuestAddress[] {
  const { symbols } = libvirt();
  const { array, items } = listOf((out) =>
    symbols.virDomainInterfaceAddresses(pointer, out, SOURCE[source], 0)
  );
  return readList(array, items, (item) => symbols.virDomainInterfaceFree(item), (item) => {
    const view = new Deno.UnsafePointerView(item);
    const mac = readString(view.getPointer(8));
    const addresses = view.getPointer(24);
    if (addresses === null) return [];
    const list = new Deno.UnsafePointerView(addresses);
    return Array.from({ length: view.getUint32(16) }, (_, index) => ({
      mac,
      address: readString(list.getPointer(index * 24 + 8)),
      prefix: list.getUint32(index * 24 + 16),
    }));
  }).flat();
}

/** Addresses of a running domain. The agent's answer is the guest's word. Source: virDomainInterfaceAddresses. */
export function domainAddresses(
  connection: Connection,
  { uuid, source }: Of & { source: keyof typeof SOURCE },
): GuestAddress[] {
  using domain = connection.domain(uuid);
  if (source !== "agent") return interfaceAddresses(domain, source);
  return withAgentLimit(domain, () => interfaceAddresses(domain, source), AGENT_SECONDS);
}
