/** Amounts as people read them, in the language of what is done now: bytes, rates, percentages. */
import { withDecimalSign } from "../i18n/numbers.ts";
import { BITS_OF_KILOBYTE, MIB } from "./byte_units.ts";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** One decimal, unless it is 0, with the reader's decimal sign. */
const precise = (value: number) => withDecimalSign(value.toFixed(1).replace(/\.0$/, ""));
const whole = (value: number) => value.toFixed(0);

/** Three digits are enough to read: one decimal below 100, none above. */
function digits(value: number): string {
  return value < 99.95 ? precise(value) : whole(value);
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

/** Bytes as somebody would type them, to the byte: `2147483648` → `2 GiB`, `1500` → `1500`. */
export function exactBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value !== 0 && value % 1024 === 0 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? String(value) : `${value} ${UNITS[unit]}`;
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

const BIT_UNITS = ["kbit/s", "Mbit/s", "Gbit/s"] as const;

/** Kilobytes (1,000 bytes) a second in the bits that networks are told in: `12500` → `100 Mbit/s`. */
export function formatBitrate(kilobytesPerSecond: number): string {
  let value = kilobytesPerSecond * BITS_OF_KILOBYTE / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < BIT_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${digits(value)} ${BIT_UNITS[unit]}`;
}

/** `38.4` → `38 %`; below ten one decimal, because 0.4 % and 1.4 % differ to somebody watching an idle host. */
export function formatPercent(percent: number): string {
  return `${percent < 9.95 ? precise(percent) : whole(percent)} %`;
}

/** Part of a whole in percent, held within 0–100; 0 when the whole is 0. */
export function share(part: number, total: number): number {
  if (!(total > 0)) return 0;
  return Math.min(100, Math.max(0, part / total * 100));
}

/**
 * Bytes as the number of GB (GiB) that a text puts before `GB`: two decimals, from 1 GB down three digits, so that 40 MB
 * are not 0 GB. Cut off, not rounded: what is refused never looks as large as what there is.
 */
export function gigabytes(bytes: number): number {
  const gib = bytes / (1024 * MIB);
  const decimals = gib >= 1 || gib <= 0 ? 2 : 2 - Math.floor(Math.log10(gib));
  return Number((Math.floor(gib * 10 ** decimals) / 10 ** decimals).toFixed(decimals));
}
