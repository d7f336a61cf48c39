/** Advises on the host for a new VM: the free resources of each host, and the host with most of them. Pure. */
import type { HostStats, HostStatus, StoragePool, VM } from "../contract/mod.ts";
import { GIB } from "../text/byte_units.ts";
import { isLive } from "../vm/state.ts";

/** Resources of a VM that is created with the defaults: a host with less is advised against, not refused. */
export const NEEDED = { memoryMb: 2048, poolBytes: 20 * GIB } as const;
/** Percent of a host's CPU from which it is busy. */
const BUSY_PERCENT = 90;

/** Data of a host for the advice; parts that it did not answer in time are missing. */
export interface HostLook {
  readonly stats?: HostStats | undefined;
  readonly vms?: readonly Pick<VM, "state" | "memoryMb">[] | undefined;
  readonly pools?: readonly Pick<StoragePool, "name" | "state" | "fixed" | "availableBytes">[] | undefined;
}

/** Why a host is not advised. */
export type Lack = "away" | "maintenance" | "memory" | "cpu" | "pool";

/** A host as a place for a new VM. */
export interface HostAdvice {
  readonly host: HostStatus;
  readonly lacks: readonly Lack[];
  /** MiB that are neither used nor assigned to VMs that run. */
  readonly memory?: { readonly freeMb: number; readonly totalMb: number };
  readonly cpuPercent?: number;
  /** The pool with most room; null: no pool can be written to. Missing while the pools are not known. */
  readonly pool?: { readonly name: string; readonly availableBytes: number } | null;
  readonly isRecommended: boolean;
}

function memoryOf({ load }: HostStatus, { stats, vms }: HostLook): HostAdvice["memory"] {
  const { memoryTotalMb: totalMb, memoryUsedMb: usedMb = null } = stats ?? load ?? {};
  if (totalMb === undefined || (usedMb === null && vms === undefined)) return undefined;
  const assignedMb = (vms ?? []).filter(isLive).reduce((sum, { memoryMb }) => sum + memoryMb, 0);
  return { freeMb: Math.max(0, totalMb - Math.max(assignedMb, usedMb ?? 0)), totalMb };
}

function poolOf({ pools }: HostLook): HostAdvice["pool"] {
  return pools?.reduce<NonNullable<HostAdvice["pool"]> | null>(
    (most, { name, state, fixed, availableBytes }) =>
      state !== "running" || fixed || availableBytes === undefined ||
        (most !== null && most.availableBytes >= availableBytes)
        ? most
        : { name, availableBytes },
    null,
  );
}

function adviceOf(host: HostStatus, look: HostLook): HostAdvice {
  if (host.status !== "connected") return { host, lacks: ["away"], isRecommended: false };
  const memory = memoryOf(host, look), pool = poolOf(look);
  const cpuPercent = (look.stats ?? host.load)?.cpuUsagePercent ?? undefined;
  const lacks: Lack[] = host.maintenance === undefined ? [] : ["maintenance"];
  if (memory !== undefined && memory.freeMb < NEEDED.memoryMb) lacks.push("memory");
  if (cpuPercent !== undefined && cpuPercent >= BUSY_PERCENT) lacks.push("cpu");
  if (pool === null || (pool !== undefined && pool.availableBytes < NEEDED.poolBytes)) lacks.push("pool");
  return {
    host,
    lacks,
    isRecommended: false,
    ...(memory && { memory }),
    ...(cpuPercent !== undefined && { cpuPercent }),
    ...(pool !== undefined && { pool }),
  };
}

/** 0: with room, 1: without, 2: away. */
const rankOf = ({ lacks }: HostAdvice) =>
  lacks.includes("away") || lacks.includes("maintenance") ? 2 : Math.min(lacks.length, 1);
/** Free memory, worth less the busier the CPU is; a host whose memory is not known is last of its rank. */
const scoreOf = ({ memory, cpuPercent = 0 }: HostAdvice) =>
  memory === undefined ? -1 : memory.freeMb * (1 - Math.min(cpuPercent, 100) / 100);

/**
 * The hosts as places for a new VM: those with room first, most free memory and CPU before less, those away last. The first
 * is recommended where it has room that is known.
 *
 * @param look what was read from a host
 */
export function adviseHosts(
  hosts: readonly HostStatus[],
  look: (host: HostStatus) => HostLook,
): HostAdvice[] {
  const sorted = hosts.map((host) => adviceOf(host, look(host))).sort((one, other) =>
    rankOf(one) - rankOf(other) || scoreOf(other) - scoreOf(one) ||
    (other.pool?.availableBytes ?? 0) - (one.pool?.availableBytes ?? 0) ||
    one.host.label.localeCompare(other.host.label, "en")
  );
  const isSure = ({ lacks, memory }: HostAdvice) => lacks.length === 0 && memory !== undefined;
  return sorted.map((each, index) => index === 0 && isSure(each) ? { ...each, isRecommended: true } : each);
}
