/** Amounts as people read them: bytes, rates, percentages. */
import { LANGUAGE } from "../i18n/mod.ts";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;
const MIB = 1024 * 1024;

const precise = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 0 });

/** Three digits are enough to read: one decimal below 100, none above. */
function digits(value: number): string {
  return value < 99.95 ? precise.format(value) : whole.format(value);
}

/** `1536` → `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // At 1,000, not 1,024: "1 MiB" is read faster than "1,006 KiB".
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${digits(value)} ${UNITS[unit]}`;
}

/** `2048` MiB → `2 GiB`. */
export function formatMemory(mib: number): string {
  return formatBytes(mib * MIB);
}

/** `40` GiB → `40 GiB`. */
export function formatDisk(gib: number): string {
  return formatBytes(gib * 1024 * MIB);
}

/** Bytes a second: `1536` → `1.5 KiB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** `38.4` → `38 %`; below ten one decimal, because 0.4 % and 1.4 % differ to somebody watching an idle host. */
export function formatPercent(percent: number): string {
  return `${percent < 9.95 ? precise.format(percent) : whole.format(percent)} %`;
}

/** Part of a whole in percent, held within 0–100; 0 when the whole is 0. */
export function share(part: number, total: number): number {
  if (!(total > 0)) return 0;
  return Math.min(100, Math.max(0, part / total * 100));
}
