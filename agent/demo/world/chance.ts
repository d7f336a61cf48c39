/** Chance that comes out the same each time: the demo is the same company at every start. Pure. */

/** FNV-1a of a text, 32 bits. */
function fnv(text: string): number {
  let value = 2166136261;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 16777619);
  }
  return value;
}

/** Spreads what differs in few bits over all 32 (MurmurHash3's last step). */
function mixed(value: number): number {
  value = Math.imul(value ^ value >>> 15, 0x85ebca6b);
  value = Math.imul(value ^ value >>> 13, 0xc2b2ae35);
  return (value ^ value >>> 16) >>> 0;
}

/** A number from a text, 32 bits. */
export const hash = (text: string): number => mixed(fnv(text));

/** A number from 0 to 1 that belongs to a text. */
export const fractionBy = (text: string): number => hash(text) / 2 ** 32;

/** Hashes of the names below: few names, of which a month of figures asks for millions of numbers. */
const hashes = new Map<string, number>();

/** A number from 0 to 1 that belongs to a name and a whole number. The name is kept. */
export function fractionAt(name: string, index: number): number {
  let value = hashes.get(name);
  if (value === undefined) hashes.set(name, value = fnv(name));
  return mixed(value ^ Math.imul(index, 0x9e3779b1)) / 2 ** 32;
}

/** One of some things, by a text. */
export const pickBy = <T>(text: string, things: readonly T[]): T => things[hash(text) % things.length]!;

/** The UUID that belongs to a text. */
export function uuidOf(text: string): string {
  const hex = [0, 1, 2, 3].map((part) => hash(`${part} ${text}`).toString(16).padStart(8, "0")).join("");
  const [a, b, c, d] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(13, 16), hex.slice(17, 20)];
  return `${a}-${b}-4${c}-8${d}-${hex.slice(20, 32)}`;
}

/** A course that goes up and down between -1 and 1. @param seconds since 1970 @param period seconds between its points */
export function drift(name: string, seconds: number, period: number): number {
  const at = seconds / period, slot = Math.floor(at), between = at - slot;
  const point = (index: number) => fractionAt(name, index) * 2 - 1;
  const smooth = between * between * (3 - 2 * between);
  return point(slot) * (1 - smooth) + point(slot + 1) * smooth;
}
