/** Limits of disks and network interfaces as people read and type them. */
import { DISK_LIMITS, NIC_LIMITS } from "../contract/limit_names.ts";
import type { DiskLimit, DiskLimitValues, NicLimit, NicLimitValues } from "../contract/device_limits.ts";
import { deviceLimits as texts } from "../i18n/en/device_limits.ts";
import { textsOf } from "../i18n/mod.ts";
import { KIB } from "./byte_units.ts";
import { exactBytes, formatBitrate, formatRate } from "./quantity.ts";

const { t } = textsOf(texts);

type Limit = DiskLimit | NicLimit;

/** Scopes of a disk's limits → the label of their row. */
const DISK_ROWS = {
  total: "limits.list_total",
  read: "limits.list_read",
  write: "limits.list_write",
} as const;
/** The same of an interface. */
const NIC_ROWS = { inbound: "limits.list_inbound", outbound: "limits.list_outbound" } as const;

/** Whether a device's field is one of its limits. */
export const isLimit = (field: string): field is Limit =>
  [...DISK_LIMITS, ...NIC_LIMITS].some((name) => name === field);

/** One limit with its unit. */
function withUnit(name: Limit, value: number): string {
  if (name.endsWith("Length")) return `${value} s`;
  if (name.endsWith("Burst")) return exactBytes(value * KIB);
  if (name.includes("Bytes")) return formatRate(value);
  return name.includes("Iops") ? t("limits.list_operations", { n: String(value) }) : formatBitrate(value);
}

/** The value of a limit in words; undefined for a field that is none. */
export function limitTold(field: string, value: string | null): string | undefined {
  if (!isLimit(field)) return undefined;
  return value === null ? t("limits.none") : withUnit(field, Number(value));
}

/** A limit with its bursts: `50 MiB/s (bursts 200 MiB/s, 30 s)`. */
function withBurst(
  limits: DiskLimitValues & NicLimitValues,
  name: Limit,
  ...more: readonly Limit[]
): string[] {
  const value = limits[name];
  if (value === undefined) return [];
  const limit = withUnit(name, value);
  const bursts = more.flatMap((each) => limits[each] === undefined ? [] : [withUnit(each, limits[each])]);
  return [bursts.length === 0 ? limit : t("limits.list_burst", { limit, most: bursts.join(", ") })];
}

/** A disk's limits for its row: `limit 50 MiB/s, 500 IOPS`, or reads and writes by themselves. */
export function diskLimitTexts(limits: DiskLimitValues): string[] {
  return (["total", "read", "write"] as const).flatMap((way) => {
    const told = (["BytesSec", "IopsSec"] as const).flatMap((unit) => {
      const name = `${way}${unit}` as const;
      return withBurst(limits, name, `${name}Max`, `${name}MaxLength`);
    });
    return told.length === 0 ? [] : [t(DISK_ROWS[way], { limits: told.join(", ") })];
  });
}

/** A network interface's limits for its row: `limit in 100 Mbit/s`, `limit out 20 Mbit/s`. */
export function nicLimitTexts(limits: NicLimitValues): string[] {
  return (["inbound", "outbound"] as const).flatMap((way) => {
    const [limit] = withBurst(limits, `${way}Average`, `${way}Peak`, `${way}Burst`);
    return limit === undefined ? [] : [t(NIC_ROWS[way], { limit })];
  });
}
