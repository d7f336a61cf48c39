/** Calls on the host itself. */
import type { Connection } from "../connection.ts";
import { libraryVersion, libvirt, ok, takeString } from "../library.ts";
import { textOfBytes } from "../../lib/text/byte_text.ts";
import { readString } from "../memory.ts";

/** The host's make. */
export interface NodeRecord {
  /** libvirt's driver: QEMU, TEST, … */
  readonly type: string;
  readonly cpuModel: string;
  /** Threads the host schedules on. */
  readonly threads: number;
  /** Physical cores. */
  readonly cores: number;
  /** `major * 1,000,000 + minor * 1,000 + release` of the daemon, the hypervisor and the client library. */
  readonly libvirtVersion: number;
  readonly hypervisorVersion: number;
  readonly clientVersion: number;
  readonly capabilities: string;
}

function version(read: (out: BigUint64Array<ArrayBuffer>) => number): number {
  const out = new BigUint64Array(1);
  ok(read(out));
  return Number(out[0]);
}

/**
 * Reads `struct _virNodeInfo`: char model[32] @0, unsigned long memory (KiB) @32, unsigned cpus @40, mhz @44, nodes @48,
 * sockets @52, cores @56, threads @60.
 */
function nodeStruct(connection: Connection): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(64);
  ok(libvirt().symbols.virNodeGetInfo(connection.pointer, bytes));
  return bytes;
}

/** Reads the host's make. Its memory is not part of it: `nodeCounters` alone tells that. */
export function nodeInfo(connection: Connection): NodeRecord {
  const { symbols } = libvirt();
  const bytes = nodeStruct(connection);
  const view = new DataView(bytes.buffer);
  const model = bytes.subarray(0, 32);
  return {
    type: readString(symbols.virConnectGetType(connection.pointer)),
    cpuModel: textOfBytes(model.subarray(0, model.indexOf(0))),
    threads: view.getUint32(40, true),
    cores: view.getUint32(48, true) * view.getUint32(52, true) * view.getUint32(56, true),
    libvirtVersion: version((out) => symbols.virConnectGetLibVersion(connection.pointer, out)),
    hypervisorVersion: version((out) => symbols.virConnectGetVersion(connection.pointer, out)),
    clientVersion: libraryVersion(),
    capabilities: takeString(symbols.virConnectGetCapabilities(connection.pointer)),
  };
}

/** The daemon's version: what it answers without a lock, with any free worker. Source: virConnectGetLibVersion. */
export const libvirtVersion = (connection: Connection): number =>
  version((out) => libvirt().symbols.virConnectGetLibVersion(connection.pointer, out));

/** The host's full name. libvirt asks the resolver for it, which may take minutes. Source: virConnectGetHostname. */
export function hostName(connection: Connection): string {
  return takeString(libvirt().symbols.virConnectGetHostname(connection.pointer));
}

/** Named counters of the host. `cpu` in nanoseconds since it started, `memory` in KiB. */
export interface NodeCounters {
  readonly cpu: Readonly<Record<string, number>>;
  readonly memory: { readonly total: number; readonly [name: string]: number };
}

/** Bytes of `virNodeCPUStats` and `virNodeMemoryStats`: char field[80] @0, unsigned long long value @80. */
const ENTRY = 88;
/** VIR_NODE_CPU_STATS_ALL_CPUS, VIR_NODE_MEMORY_STATS_ALL_CELLS */
const ALL = -1;

function counters(
  read: (params: Uint8Array<ArrayBuffer> | null, count: Int32Array<ArrayBuffer>) => number,
): Record<string, number> {
  const count = new Int32Array(1);
  // Asked twice, as libvirt wants it: first how many there are, then for them.
  if (read(null, count) < 0) {
    libvirt().symbols.virResetLastError();
    return {}; // a driver without counters (test:///)
  }
  const bytes = new Uint8Array(count[0]! * ENTRY);
  ok(read(bytes, count));
  const view = new DataView(bytes.buffer);
  return Object.fromEntries(Array.from({ length: count[0]! }, (_, index) => {
    const field = bytes.subarray(index * ENTRY, index * ENTRY + 80);
    const end = field.indexOf(0);
    return [textOfBytes(field.subarray(0, end)), Number(view.getBigUint64(index * ENTRY + 80, true))];
  }));
}

/**
 * Reads the host's counters. The total of the memory comes from them as well: libvirtd reads `virNodeGetInfo`'s once at
 * its start, and a virtual host can grow afterwards. Source: virNodeGetCPUStats, virNodeGetMemoryStats.
 */
export function nodeCounters(connection: Connection): NodeCounters {
  const { symbols } = libvirt();
  const memory = counters((params, count) =>
    symbols.virNodeGetMemoryStats(connection.pointer, ALL, params, count, 0)
  );
  const total = () => Number(new DataView(nodeStruct(connection).buffer).getBigUint64(32, true));
  return {
    cpu: counters((params, count) => symbols.virNodeGetCPUStats(connection.pointer, ALL, params, count, 0)),
    memory: { ...memory, total: memory.total ?? total() },
  };
}
