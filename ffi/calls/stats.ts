/** Bulk statistics: one call for many domains. */
import type { Connection } from "../connection.ts";
import { libvirt } from "../library.ts";
import { readUuid } from "../memory.ts";
import { type Params, readParams } from "../typed_params.ts";

/** `virDomainStatsTypes`: groups that can be asked for. */
const GROUPS = { state: 1, cpu: 2, balloon: 4, vcpu: 8, interface: 16, block: 32, dirtyrate: 512 } as const;
export type StatsGroup = keyof typeof GROUPS;

/** `virConnectGetAllDomainStatsFlags` */
const NOWAIT = 536870912;

/** The typed parameters of one domain, by libvirt's names (`cpu.time`, `balloon.current`, `net.0.rx.bytes`, …). */
export interface DomainStats {
  readonly uuid: string;
  readonly params: Params;
}

/**
 * Statistics of running domains; those that are gone are left out. The domains are named, not "all active ones":
 * libvirt takes the lock of each that it looks at, and waits for one that hangs without an end. NOWAIT: a domain whose QEMU is
 * busy yields only what libvirt knows without asking it. Source: virDomainListGetStats.
 *
 * `struct _virDomainStatsRecord`: virDomainPtr dom @0, virTypedParameterPtr params @8, int nparams @16.
 */
export function domainStats(
  connection: Connection,
  { uuids, groups }: { uuids: readonly string[]; groups: readonly StatsGroup[] },
): DomainStats[] {
  const mask = groups.reduce((bits, group) => bits | GROUPS[group], 0);
  const pointers = connection.knownDomains(uuids).map((pointer) => Deno.UnsafePointer.value(pointer));
  if (pointers.length === 0) return [];
  const domains = new BigUint64Array([...pointers, 0n]), out = new BigUint64Array(1);
  const count = libvirt().symbols.virDomainListGetStats(domains, mask, out, NOWAIT);
  if (count < 0) throw libvirt().lastError();
  return takeRecords(Deno.UnsafePointer.create(out[0]!), count);
}

/** States of all domains, by UUID: `virDomainState` and the reason within it. Asks no QEMU. */
export function domainStates(connection: Connection): Map<string, { state: number; reason: number }> {
  const out = new BigUint64Array(1);
  const count = libvirt().symbols.virConnectGetAllDomainStats(connection.pointer, GROUPS.state, out, 0);
  if (count < 0) throw libvirt().lastError();
  const states = new Map<string, { state: number; reason: number }>();
  for (const { uuid, params } of takeRecords(Deno.UnsafePointer.create(out[0]!), count)) {
    const { "state.state": state, "state.reason": reason } = params;
    if (typeof state === "number" && typeof reason === "number") states.set(uuid, { state, reason });
  }
  return states;
}

/** Statistics of one domain, as {@link domainStats} gives them; null where it is off or gone. */
export function domainStatsOne(
  connection: Connection,
  { uuid, groups }: { uuid: string; groups: readonly StatsGroup[] },
): DomainStats | null {
  return domainStats(connection, { uuids: [uuid], groups })[0] ?? null;
}

function takeRecords(array: Deno.PointerValue, count: number): DomainStats[] {
  if (array === null) return [];
  const { symbols } = libvirt();
  try {
    const list = new Deno.UnsafePointerView(array);
    return Array.from({ length: count }, (_, index) => {
      const record = new Deno.UnsafePointerView(list.getPointer(index * 8)!);
      return {
        uuid: readUuid((buffer) => symbols.virDomainGetUUIDString(record.getPointer(0), buffer)),
        params: readParams(record.getPointer(8), record.getInt32(16)),
      };
    });
  } finally {
    symbols.virDomainStatsRecordListFree(array);
  }
}
