/**
 * Bytes as text and back, losing nothing: the kernel takes any bytes for a file's name, JSON, URLs and people take text.
 *
 * UTF-8 is its text. A byte that is no UTF-8 is written as U+FFFD and its two digits: `bad\xff` is `bad�ff`. The same
 * goes for the bytes of U+FFFE and U+FFFF, which XML cannot hold, and for those of a U+FFFD that would read as such a
 * spelling. So no two names share a text, and a text that is none of these is its own UTF-8.
 */

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A byte that is spelled out. */
const SPELLED = /\ufffd([89a-f][0-9a-f])/g;
/** Sequences that a text does not contain if it stands for itself. */
const SUSPECT = /\ufffd[89a-f][0-9a-f]|[\ufffe\uffff]/;
const HEX_PAIR = /^[89a-f][0-9a-f]/;
/** Range of the second byte after a first one that restricts it: Unicode's table 3-7. */
const SECOND: Readonly<Record<number, readonly [least: number, most: number]>> = {
  0xe0: [0xa0, 0xbf],
  0xed: [0x80, 0x9f],
  0xf0: [0x90, 0xbf],
  0xf4: [0x80, 0x8f],
};
const ANY_SECOND = [0x80, 0xbf] as const;

/** Each byte, spelled out. */
const SPELLING = Array.from({ length: 256 }, (_, byte) => `\ufffd${byte.toString(16).padStart(2, "0")}`);

/** The text of UTF-8; undefined for what is none. */
function utf8(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** How many bytes the character has that begins here; 0 where none does. */
function characterAt(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const [least, most] = SECOND[lead] ?? ANY_SECOND;
  const second = bytes[at + 1] ?? 0;
  if (second < least || second > most) return 0;
  for (let index = at + 2; index < at + length; index++) if (((bytes[index] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

/** Whether the character here is spelled out although it is UTF-8: U+FFFE, U+FFFF, a U+FFFD that reads as a spelling. */
function isSpelled(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] !== 0xef || bytes[at + 1] !== 0xbf || bytes[at + 2]! < 0xbd) return false;
  return bytes[at + 2]! > 0xbd || HEX_PAIR.test(String.fromCharCode(...bytes.subarray(at + 3, at + 5)));
}

/** The text that stands for these bytes, and for no others. */
export function textOfBytes(bytes: Uint8Array): string {
  const whole = utf8(bytes);
  if (whole !== undefined && !SUSPECT.test(whole)) return whole;
  let text = "", from = 0, at = 0;
  const take = () => from === at ? "" : strict.decode(bytes.subarray(from, at));
  while (at < bytes.length) {
    const length = characterAt(bytes, at);
    if (length > 0 && !isSpelled(bytes, at)) {
      at += length;
      continue;
    }
    text += take();
    for (from = at + Math.max(1, length); at < from; at++) text += SPELLING[bytes[at]!];
  }
  return text + take();
}

/** The bytes that a text stands for. */
export function bytesOfText(text: string): Uint8Array<ArrayBuffer> {
  if (!text.includes("\ufffd")) return encoder.encode(text);
  const bytes = new Uint8Array(encoder.encode(text).length); // a byte's spelling is longer than the byte
  let at = 0;
  for (const [index, part] of text.split(SPELLED).entries()) {
    // Every other part is a byte's digits.
    if (index % 2 === 1) bytes[at++] = parseInt(part, 16);
    else if (part !== "") at += encoder.encodeInto(part, bytes.subarray(at)).written;
  }
  return bytes.slice(0, at);
}

/** Whether a text is the one that its bytes have: `�c3�a9` would be another spelling of `é`. */
export const isCanonical = (text: string): boolean =>
  !text.includes("\ufffd") || textOfBytes(bytesOfText(text)) === text;

/** The text as programs of this host write it; undefined where its bytes are no UTF-8. */
export const plainText = (text: string): string | undefined =>
  text.includes("\ufffd") ? utf8(bytesOfText(text)) : text;
