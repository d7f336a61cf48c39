/** Calls that read and change a domain's hardware. */
import { pendingChanges } from "../../lib/formats/xml/pending.ts";
import { relativePaths } from "../../lib/formats/xml/relative.ts";
import type { Connection, Handle } from "../connection.ts";
import { whileNobodyEdits } from "../edit_lock.ts";
import { LibvirtError, VIR_ERR } from "../error.ts";
import { libvirt, ok, takeString } from "../library.ts";
import { cString } from "../memory.ts";

/** `virDomainXMLFlags`: with passwords; the configuration of the next start. */
const XML = { SECURE: 1, INACTIVE: 2 } as const;
/** `VIR_DOMAIN_DEFINE_VALIDATE`: against libvirt's schemas first. */
const DEFINE_VALIDATE = 1;
/** `VIR_DOMAIN_AFFECT_LIVE`, the same bit for vCPUs, memory and pinning. */
const LIVE = 1;
/** `virDomainMetadataType` */
const TEXTS = { description: 0, title: 1 } as const;

type Of = { uuid: string };

function xmlOf(pointer: Deno.PointerObject, flags: number): string {
  return takeString(libvirt().symbols.virDomainGetXMLDesc(pointer, flags));
}

/** A domain's XML, live where it runs, and stored; both at one moment, as near as two calls can be. */
export interface DomainXmls {
  /** Null when it is off. */
  readonly live: string | null;
  readonly next: string;
}

/** Reads both XMLs of a domain. Source: virDomainGetXMLDesc. */
export function domainXmls(connection: Connection, { uuid, secure }: Of & { secure: boolean }): DomainXmls {
  using domain = connection.domain(uuid);
  const flags = secure ? XML.SECURE : 0;
  const active = ok(libvirt().symbols.virDomainIsActive(domain.pointer)) === 1;
  return {
    live: active ? xmlOf(domain.pointer, flags) : null,
    next: xmlOf(domain.pointer, flags | XML.INACTIVE),
  };
}

/**
 * Replaces a stored domain if it still is what the change was made from; gives what libvirt stored, or null when
 * somebody else has changed it since. Both are secure XML. Source: virDomainDefineXMLFlags.
 */
export function domainRedefine(
  connection: Connection,
  { uuid, from, xml }: Of & { from: string; xml: string },
): string | null {
  using domain = connection.domain(uuid);
  return whileNobodyEdits(uuid, () => {
    if (!isStored(domain, from)) return null;
    const { symbols, lastError } = libvirt();
    // The schemas do not allow relative paths, which the domain has already.
    const flags = relativePaths(from).length > 0 ? 0 : DEFINE_VALIDATE;
    const defined = symbols.virDomainDefineXMLFlags(connection.pointer, cString(xml), flags);
    if (defined === null) throw lastError();
    symbols.virDomainFree(defined);
    return xmlOf(domain.pointer, XML.SECURE | XML.INACTIVE);
  });
}

/** Whether the secure XML of a domain's next start is this. */
export function isStored(domain: Pick<Handle, "pointer">, xml: string): boolean {
  return xmlOf(domain.pointer, XML.SECURE | XML.INACTIVE) === xml;
}

/** The host's number of CPUs. Source: virNodeGetInfo (unsigned nodes @48, sockets @52, cores @56, threads @60). */
function hostCpus(connection: Connection): number {
  const info = new Uint8Array(64);
  ok(libvirt().symbols.virNodeGetInfo(connection.pointer, info));
  const view = new DataView(info.buffer);
  return [48, 52, 56, 60].reduce((product, at) => product * view.getUint32(at, true), 1);
}

/** How many changes wait for the next boot, by both XMLs. The host is asked only where that can matter. */
export function countPending(connection: Connection, live: string, next: string): number {
  return pendingChanges(live, next, live.includes("<vcpupin") ? hostCpus(connection) : undefined).length;
}

/** How many changes wait for the next boot of a running domain; null for one that is gone or off. */
export function domainPending(connection: Connection, { uuid }: Of): number | null {
  try {
    const { live, next } = domainXmls(connection, { uuid, secure: false });
    return live === null ? null : countPending(connection, live, next);
  } catch (error) {
    if (error instanceof LibvirtError && error.code === VIR_ERR.NO_DOMAIN) return null;
    throw error;
  }
}

/** Turns vCPUs of a running domain on or off. Source: virDomainSetVcpusFlags. */
export function domainSetVcpus(connection: Connection, { uuid, count }: Of & { count: number }): null {
  using domain = connection.domain(uuid);
  ok(libvirt().symbols.virDomainSetVcpusFlags(domain.pointer, count, LIVE));
  return null;
}

/** Asks a running domain's balloon for an amount of memory. Source: virDomainSetMemoryFlags. */
export function domainSetMemory(connection: Connection, { uuid, kib }: Of & { kib: number }): null {
  using domain = connection.domain(uuid);
  ok(libvirt().symbols.virDomainSetMemoryFlags(domain.pointer, BigInt(kib), LIVE));
  return null;
}

/**
 * Binds a running domain's vCPU to host CPUs; `cpus` undefined lets it run on all of them.
 * Source: virDomainPinVcpuFlags.
 */
export function domainPinVcpu(
  connection: Connection,
  { uuid, vcpu, cpus }: Of & { vcpu: number; cpus?: readonly number[] },
): null {
  const { symbols } = libvirt();
  const most = hostCpus(connection);
  const map = new Uint8Array(Math.ceil(most / 8));
  for (const cpu of cpus ?? Array.from({ length: most }, (_, index) => index)) {
    if (cpu < most) map[cpu >> 3]! |= 1 << (cpu & 7);
  }
  using domain = connection.domain(uuid);
  ok(symbols.virDomainPinVcpuFlags(domain.pointer, vcpu, map, map.length, LIVE));
  return null;
}

/** Sets a running domain's title or description; an empty one is removed. Source: virDomainSetMetadata. */
export function domainSetText(
  connection: Connection,
  { uuid, what, text }: Of & { what: keyof typeof TEXTS; text: string },
): null {
  using domain = connection.domain(uuid);
  const value = text === "" ? null : cString(text);
  ok(libvirt().symbols.virDomainSetMetadata(domain.pointer, TEXTS[what], value, null, null, LIVE));
  return null;
}
