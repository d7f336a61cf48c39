/** Units of quantities in an OVF: `byte * 2^20` and its older words. */
import { OvfError } from "./model.ts";

const WORDS: Readonly<Record<string, number>> = {
  byte: 1,
  bytes: 1,
  kilobytes: 2 ** 10,
  kb: 2 ** 10,
  kib: 2 ** 10,
  megabytes: 2 ** 20,
  mb: 2 ** 20,
  mib: 2 ** 20,
  gigabytes: 2 ** 30,
  gb: 2 ** 30,
  gib: 2 ** 30,
  terabytes: 2 ** 40,
  tb: 2 ** 40,
  tib: 2 ** 40,
};

/** Bytes of one unit. @throws {OvfError} */
export function bytesOfUnit(unit: string): number {
  const text = unit.trim().toLowerCase().replace(/\s+/g, "");
  const word = Object.hasOwn(WORDS, text) ? WORDS[text] : undefined;
  if (word !== undefined) return word;
  const [, base, power] = /^bytes?\*(2|10)\^(\d{1,2})$/.exec(text) ?? [];
  if (base !== undefined && Number(power) <= 50) return Number(base) ** Number(power);
  throw new OvfError(`its unit ${JSON.stringify(unit.slice(0, 40))} is not known`);
}

/** A quantity in bytes. @throws {OvfError} for what is none, or more than can be counted */
export function bytesOfQuantity(quantity: string, unit: string): number {
  if (!/^\d{1,16}$/.test(quantity.trim())) {
    throw new OvfError(`${JSON.stringify(quantity.slice(0, 40))} in it is no quantity`);
  }
  const bytes = Number(quantity) * bytesOfUnit(unit);
  if (!Number.isSafeInteger(bytes)) throw new OvfError("a quantity in it is too large");
  return bytes;
}
