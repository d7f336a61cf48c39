/**
 * Dependencies between limits of disks and network interfaces. libvirt keeps limits that QEMU refuses, and the VM does
 * not start any more. Pure.
 */
import { DISK_LIMITS, MOST_DISK_LIMIT, NIC_LIMITS } from "../../contract/limit_names.ts";
import type { DiskLimit, DiskLimitValues, NicLimit, NicLimitValues } from "../../contract/device_limits.ts";
import { message, type Sentence } from "../../i18n/message.ts";

/** Why limits cannot be set, and the field that it is about. */
export interface LimitFault {
  readonly field: DiskLimit | NicLimit;
  readonly reason: Sentence;
}

/** The limits among the fields of an input. */
function among<N extends string>(names: readonly N[], input: Readonly<Partial<Record<N, unknown>>>) {
  return Object.fromEntries(
    names.filter((name) => input[name] !== undefined).map((name) => [name, input[name]]),
  ) as Partial<Record<N, number>>;
}

/** The limits of a disk among the fields of an input. */
export const diskLimitsIn = (input: DiskLimitValues): DiskLimitValues => among(DISK_LIMITS, input);

/** The limits of a network interface among the fields of an input. */
export const nicLimitsIn = (input: NicLimitValues): NicLimitValues => among(NIC_LIMITS, input);

/** Limit of bursts → the one that it goes beyond, without which it is none. */
const baseOf: Readonly<Partial<Record<DiskLimit | NicLimit, DiskLimit | NicLimit>>> = Object.fromEntries([
  ...DISK_LIMITS.flatMap((name) => {
    const [, base, longest] = /^(.*Sec)Max(Length)?$/.exec(name) ?? [];
    return base === undefined ? [] : [[name, longest === undefined ? base : `${base}Max`]];
  }),
  ...NIC_LIMITS.flatMap((name) => {
    const [, way, kind] = /^(inbound|outbound)(\w+)$/.exec(name)!;
    return kind === "Average" ? [] : [[name, `${way}Average`]];
  }),
]);

/** Limits after a change: a limit that is removed takes those that depend on it with it, unless they were asked for. */
function changed<N extends DiskLimit | NicLimit>(
  names: readonly N[],
  now: Partial<Record<N, number>>,
  change: Partial<Record<N, number>>,
): Partial<Record<N, number>> {
  const result = { ...now, ...change };
  for (const name of names) {
    const base = baseOf[name] as N | undefined;
    const isLost = base !== undefined && (result[base] ?? 0) === 0 && change[name] === undefined;
    if ((result[name] ?? 0) === 0 || isLost) delete result[name];
  }
  return result;
}

/** The limits of a disk after a change; 0 takes one away. */
export const changedDiskLimits = (now: DiskLimitValues, change: DiskLimitValues): DiskLimitValues =>
  changed(DISK_LIMITS, now, change);

/** The limits of a network interface after a change; 0 takes one away. */
export const changedNicLimits = (now: NicLimitValues, change: NicLimitValues): NicLimitValues =>
  changed(NIC_LIMITS, now, change);

/** Fault of a limit that lacks the limit it depends on, or is below it. */
function orphan(limits: DiskLimitValues & NicLimitValues): LimitFault | undefined {
  for (const [name, value = 0] of Object.entries(limits)) {
    const field = name as DiskLimit | NicLimit, base = baseOf[field];
    if (value === 0 || base === undefined) continue;
    const least = limits[base] ?? 0;
    if (least === 0) {
      return { field, reason: message`${field} needs ${base}: without that there is nothing to exceed` };
    }
    const isRate = /(Max|Peak)$/.test(field);
    if (isRate && value < least) {
      return { field, reason: message`${field} (${value}) cannot be below ${base} (${least})` };
    }
  }
}

/** Why a disk cannot have these limits together. Source: throttle_is_valid() in QEMU's throttle.c. */
export function diskLimitFault(limits: DiskLimitValues): LimitFault | undefined {
  for (const unit of ["BytesSec", "IopsSec"] as const) {
    const total = `total${unit}` as const, each = [`read${unit}`, `write${unit}`] as const;
    const other = each.find((name) => (limits[name] ?? 0) > 0);
    if ((limits[total] ?? 0) > 0 && other !== undefined) {
      return {
        field: total,
        reason: message`${total} (${limits[total]}) and ${other} (${
          limits[other]
        }) exclude each other: limit reads and writes together, or each by itself, and set the other to 0`,
      };
    }
  }
  const missing = orphan(limits);
  if (missing !== undefined) return missing;
  for (const name of DISK_LIMITS) {
    if (!name.endsWith("MaxLength")) continue;
    const most = limits[baseOf[name] as DiskLimit] ?? 0, seconds = limits[name] ?? 0;
    if (most * seconds > MOST_DISK_LIMIT) {
      return {
        field: name,
        reason: message`${name} (${seconds} s) is too long for bursts of ${most} per second`,
      };
    }
  }
}

/** Why a network interface cannot have these limits together. */
export const nicLimitFault = (limits: NicLimitValues): LimitFault | undefined => orphan(limits);

/** Kinds of interfaces that libvirt can limit. Source: virNetDevSupportsBandwidth(). */
const LIMITED: ReadonlySet<string> = new Set(["network", "bridge", "direct", "ethernet"]);

/** Whether libvirt can limit interfaces of a kind: it keeps limits of the others, and does nothing about them. */
export const takesLimits = (type: string): boolean => LIMITED.has(type);
