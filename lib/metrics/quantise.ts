/**
 * Figures as they are kept: with eleven significant bits, so that they pack well. The error is at most 0.05 %; whole
 * numbers up to 2048 are exact. Pure.
 */

/** Bits of a float's mantissa that are dropped. */
const DROPPED = 13;
const HALF = 1 << (DROPPED - 1);
const MASK = -1 << DROPPED;
/** The greatest float, and the code of infinity: what is beyond has no code. */
const INFINITE = 0xff << (23 - DROPPED);

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The nearest figure that packs well. What has no such stays as it is: negative figures, NaN, Infinity. */
export function quantise(value: number): number {
  if (!(value > 0)) return value;
  float[0] = value;
  bits[0] = (bits[0]! + HALF) & MASK;
  return codeOf(float[0]!) === undefined ? value : float[0]!;
}

/** A whole number that stands for a figure and grows with it; undefined for a figure that {@link quantise} does not give. */
export function codeOf(value: number): number | undefined {
  if (!(value >= 0) || Object.is(value, -0)) return undefined;
  float[0] = value;
  if (float[0] !== value || (bits[0]! & ~MASK) !== 0) return undefined;
  const code = bits[0]! >>> DROPPED;
  return code < INFINITE ? code : undefined;
}

/** The figure of a code. */
export function ofCode(code: number): number {
  bits[0] = code << DROPPED;
  return float[0]!;
}
