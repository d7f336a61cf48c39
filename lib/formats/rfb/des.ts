/**
 * DES (FIPS 46-3), encryption of single blocks alone: VNC's challenge needs it (RFC 6143, 7.2.2), and OpenSSL 3 and
 * Deno's node:crypto have it no more. For nothing else: it has been broken since the nineties.
 */

/** FIPS 46-3's tables; bits are counted from 1, the most significant first. */
const INITIAL = [
  ...[58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4],
  ...[62, 54, 46, 38, 30, 22, 14, 6, 64, 56, 48, 40, 32, 24, 16, 8],
  ...[57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3],
  ...[61, 53, 45, 37, 29, 21, 13, 5, 63, 55, 47, 39, 31, 23, 15, 7],
];
const FINAL = INITIAL.map((_, index) => INITIAL.indexOf(index + 1) + 1);
const EXPANSION = [
  ...[32, 1, 2, 3, 4, 5, 4, 5, 6, 7, 8, 9, 8, 9, 10, 11, 12, 13, 12, 13, 14, 15, 16, 17],
  ...[16, 17, 18, 19, 20, 21, 20, 21, 22, 23, 24, 25, 24, 25, 26, 27, 28, 29, 28, 29, 30, 31, 32, 1],
];
const PERMUTATION = [
  ...[16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10],
  ...[2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25],
];
const KEY_CHOICE_1 = [
  57,
  49,
  41,
  33,
  25,
  17,
  9,
  1,
  58,
  50,
  42,
  34,
  26,
  18,
  10,
  2,
  59,
  51,
  43,
  35,
  27,
  19,
  11,
  3,
  60,
  52,
  44,
  36,
  63,
  55,
  47,
  39,
  31,
  23,
  15,
  7,
  62,
  54,
  46,
  38,
  30,
  22,
  14,
  6,
  61,
  53,
  45,
  37,
  29,
  21,
  13,
  5,
  28,
  20,
  12,
  4,
];
const KEY_CHOICE_2 = [
  ...[14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2],
  ...[41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32],
];
const SHIFTS = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];
/** Each box: four rows of sixteen, one hexadecimal digit each. */
const BOXES = [
  "e4d12fb83a6c5907" + "0f74e2d1a6cb9538" + "41e8d62bfc973a50" + "fc8249175b3ea06d",
  "f18e6b34972dc05a" + "3d47f28ec01a69b5" + "0e7ba4d158c6932f" + "d8a13f42b67c05e9",
  "a09e63f51dc7b428" + "d709346a285ecbf1" + "d6498f30b12c5ae7" + "1ad069874fe3b52c",
  "7de3069a1285bc4f" + "d8b56f03472c1ae9" + "a690cb7df13e5284" + "3f06a1d8945bc72e",
  "2c417ab6853fd0e9" + "eb2c47d150fa3986" + "421bad78f9c5630e" + "b8c71e2d6f09a453",
  "c1af92680d34e75b" + "af427c9561de0b38" + "9ef528c3704a1db6" + "432c95fabe17608d",
  "4b2ef08d3c975a61" + "d0b7491ae35c2f86" + "14bdc37eaf680592" + "6bd814a7950fe23c",
  "d2846fb1a93e50c7" + "1fd8a374c56b0e92" + "7b419ce206adf358" + "21e74a8dfc90356b",
];

type Bits = readonly number[];

const bitsOf = (bytes: Uint8Array): number[] =>
  [...bytes].flatMap((byte) => [7, 6, 5, 4, 3, 2, 1, 0].map((shift) => byte >> shift & 1));
const pick = (bits: Bits, table: readonly number[]): number[] => table.map((place) => bits[place - 1]!);
const rotate = (bits: Bits, by: number): number[] => [...bits.slice(by), ...bits.slice(0, by)];

function roundKeys(key: Uint8Array): Bits[] {
  const chosen = pick(bitsOf(key), KEY_CHOICE_1);
  let left = chosen.slice(0, 28), right = chosen.slice(28);
  return SHIFTS.map((shift) => {
    left = rotate(left, shift);
    right = rotate(right, shift);
    return pick([...left, ...right], KEY_CHOICE_2);
  });
}

function feistel(half: Bits, key: Bits): number[] {
  const mixed = pick(half, EXPANSION).map((bit, index) => bit ^ key[index]!);
  const out = BOXES.flatMap((box, index) => {
    const six = mixed.slice(index * 6, index * 6 + 6);
    const row = six[0]! * 2 + six[5]!;
    const column = six.slice(1, 5).reduce((value, bit) => value * 2 + bit, 0);
    const value = Number.parseInt(box[row * 16 + column]!, 16);
    return [value >> 3 & 1, value >> 2 & 1, value >> 1 & 1, value & 1];
  });
  return pick(out, PERMUTATION);
}

/** Encrypts whole blocks of eight bytes, each by itself (ECB). @param key eight bytes; parity bits are ignored */
export function desEncrypt(key: Uint8Array, blocks: Uint8Array): Uint8Array {
  if (key.length !== 8 || blocks.length % 8 !== 0) throw new RangeError("DES takes blocks of eight bytes");
  const keys = roundKeys(key);
  const result = new Uint8Array(blocks.length);
  for (let at = 0; at < blocks.length; at += 8) {
    const start = pick(bitsOf(blocks.subarray(at, at + 8)), INITIAL);
    let left = start.slice(0, 32), right = start.slice(32);
    for (const each of keys) {
      const next = feistel(right, each).map((bit, index) => bit ^ left[index]!);
      [left, right] = [right, next];
    }
    const bits = pick([...right, ...left], FINAL);
    for (let byte = 0; byte < 8; byte++) {
      result[at + byte] = bits.slice(byte * 8, byte * 8 + 8).reduce((value, bit) => value * 2 + bit, 0);
    }
  }
  return result;
}

/**
 * The answer to a VNC server's challenge.
 *
 * @param challenge sixteen bytes
 * @param password only its first eight bytes count
 */
export function vncResponse(challenge: Uint8Array, password: string): Uint8Array {
  const key = new Uint8Array(8);
  key.set(new TextEncoder().encode(password).subarray(0, 8));
  // VNC takes each byte of the key with its bits the other way round (RFC 6143 does not say so; all servers do).
  return desEncrypt(
    key.map((byte) => Number.parseInt(byte.toString(2).padStart(8, "0").split("").reverse().join(""), 2)),
    challenge,
  );
}
