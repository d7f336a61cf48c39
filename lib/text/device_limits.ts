/** Limits of disks and network interfaces as people read and type them. */
import { DISK_LIMITS, NIC_LIMITS } from "../contract/limit_names.ts";
import type { DiskLimit, DiskLimitValues, NicLimit, NicLimitValues } from "../contract/device_limits.ts";
import { deviceLimits as texts } from "../i18n/en/device_limits.ts";
import { type PlainKeyOf, textsOf } from "../i18n/mod.ts";
import { BITS_OF_KILOBYTE, KIB, MIB } from "./byte_units.ts";
import { trimmedIn } from "./form_fields.ts";
import { exactBytes, formatBitrate, formatRate } from "./quantity.ts";

const { t } = textsOf(texts);

type Limit = DiskLimit | NicLimit;

/** Limit → what a person calls it. */
const LABELS: Readonly<Record<Limit, PlainKeyOf<typeof texts>>> = {
  totalBytesSec: "limits.totalBytesSec",
  readBytesSec: "limits.readBytesSec",
  writeBytesSec: "limits.writeBytesSec",
  totalIopsSec: "limits.totalIopsSec",
  readIopsSec: "limits.readIopsSec",
  writeIopsSec: "limits.writeIopsSec",
  totalBytesSecMax: "limits.totalBytesSecMax",
  readBytesSecMax: "limits.readBytesSecMax",
  writeBytesSecMax: "limits.writeBytesSecMax",
  totalIopsSecMax: "limits.totalIopsSecMax",
  readIopsSecMax: "limits.readIopsSecMax",
  writeIopsSecMax: "limits.writeIopsSecMax",
  totalBytesSecMaxLength: "limits.totalBytesSecMaxLength",
  readBytesSecMaxLength: "limits.readBytesSecMaxLength",
  writeBytesSecMaxLength: "limits.writeBytesSecMaxLength",
  totalIopsSecMaxLength: "limits.totalIopsSecMaxLength",
  readIopsSecMaxLength: "limits.readIopsSecMaxLength",
  writeIopsSecMaxLength: "limits.writeIopsSecMaxLength",
  inboundAverage: "limits.inboundAverage",
  inboundPeak: "limits.inboundPeak",
  inboundBurst: "limits.inboundBurst",
  outboundAverage: "limits.outboundAverage",
  outboundPeak: "limits.outboundPeak",
  outboundBurst: "limits.outboundBurst",
};

/** Units that limits are typed in: what they are called, and how many of the contract's one of them is. */
const UNITS = {
  mib: { label: "limits.mib", size: MIB },
  iops: { label: "limits.iops", size: 1 },
  seconds: { label: "limits.seconds", size: 1 },
  mbit: { label: "limits.mbit", size: 1e6 / BITS_OF_KILOBYTE },
  kib: { label: "limits.kib", size: 1 },
} as const satisfies Record<string, { label: PlainKeyOf<typeof texts>; size: number }>;
type Unit = keyof typeof UNITS;

/** The unit that a limit is typed in. */
function unitOf(limit: Limit): Unit {
  if (limit.endsWith("Length")) return "seconds";
  if (limit.endsWith("Burst")) return "kib";
  return limit.includes("Bytes") ? "mib" : limit.includes("Iops") ? "iops" : "mbit";
}

/** What limits of a disk are for → the words of its row. */
const DISK_ROWS = {
  total: "limits.list_total",
  read: "limits.list_read",
  write: "limits.list_write",
} as const;
/** The same of an interface. */
const NIC_ROWS = { inbound: "limits.list_inbound", outbound: "limits.list_outbound" } as const;

/** A limit's field in a form: its name says the unit. */
export interface LimitField {
  readonly name: Limit;
  readonly label: string;
  readonly unit: string;
  /** Whether only whole numbers make sense. */
  readonly isWhole: boolean;
}

/** How a limit's field is labelled. */
export function limitField(name: Limit): LimitField {
  const { label, size } = UNITS[unitOf(name)];
  return { name, label: t(LABELS[name]), unit: t(label), isWhole: size === 1 };
}

/** A limit as it stands in its field; empty for none. */
export function limitTyped(name: Limit, value: number | undefined): string {
  return !value ? "" : String(Number((value / UNITS[unitOf(name)].size).toFixed(6)));
}

/** A field's text as a limit; what is no number goes on to the server, which says so. */
function limitRead(name: Limit, text: string): number {
  const typed = text === "" ? 0 : Number(text.replace(",", "."));
  if (!(typed > 0)) return Number.isNaN(typed) ? text as unknown as number : typed;
  // A limit that is little is not no limit
  return Math.max(1, Math.round(typed * UNITS[unitOf(name)].size));
}

/** The limits that a form changes: those whose text is not what it was (`nameWas`), so that none is rounded that stays. */
function changedIn<N extends Limit>(names: readonly N[], form: FormData): Partial<Record<N, number>> {
  const changed = names.filter((name) =>
    form.has(name) && trimmedIn(form, name) !== trimmedIn(form, `${name}Was`)
  );
  return Object.fromEntries(changed.map((name) => [name, limitRead(name, trimmedIn(form, name))])) as Partial<
    Record<N, number>
  >;
}

/** The limits of a disk that a form changes. */
export const diskLimitsTyped = (form: FormData): DiskLimitValues => changedIn(DISK_LIMITS, form);

/** The limits of a network interface that a form changes. */
export const nicLimitsTyped = (form: FormData): NicLimitValues => changedIn(NIC_LIMITS, form);

/** Whether a device's field is one of its limits. */
export const isLimit = (field: string): field is Limit =>
  [...DISK_LIMITS, ...NIC_LIMITS].some((name) => name === field);

/** One limit with its unit. */
function withUnit(name: Limit, value: number): string {
  const told: Readonly<Record<Unit, () => string>> = {
    mib: () => formatRate(value),
    iops: () => t("limits.list_operations", { n: String(value) }),
    seconds: () => `${value} ${t("limits.seconds")}`,
    mbit: () => formatBitrate(value),
    kib: () => exactBytes(value * KIB),
  };
  return told[unitOf(name)]();
}

/** What is different about a limit: its name and value in words; undefined for a field that is none. */
export function limitTold(field: string, value: string | null): { label: string; value: string } | undefined {
  if (!isLimit(field)) return undefined;
  return {
    label: t(LABELS[field]),
    value: value === null ? t("limits.none") : withUnit(field, Number(value)),
  };
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
