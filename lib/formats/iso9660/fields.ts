/** The fields that ISO 9660's structures are made of. Source: ECMA-119, 4th edition, sections 7 to 9. */

/** Bytes of a sector, which everything is laid out in. */
export const ISO_SECTOR = 2048;
/** Sector of the first volume descriptor; what comes before is for boot loaders. */
export const FIRST_DESCRIPTOR = 16;

/** Kinds of volume descriptors. */
export const DESCRIPTOR = { PRIMARY: 1, SUPPLEMENTARY: 2, TERMINATOR: 255 } as const;

/** How many sectors hold so many bytes. */
export function sectors(bytes: number): number {
  return Math.ceil(bytes / ISO_SECTOR);
}

/** Writes fields into a piece of memory, at offsets as the standard gives them less one (it counts from 1). */
export class Fields {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(at: number, value: number): void {
    this.#view.setUint8(at, value);
  }

  /** 32 bits, the least byte first (7.3.1). */
  u32le(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  /** 32 bits, the greatest byte first (7.3.2). */
  u32be(at: number, value: number): void {
    this.#view.setUint32(at, value, false);
  }

  /** 16 bits, the least byte first (7.2.1). */
  u16le(at: number, value: number): void {
    this.#view.setUint16(at, value, true);
  }

  /** 16 bits, the greatest byte first (7.2.2). */
  u16be(at: number, value: number): void {
    this.#view.setUint16(at, value, false);
  }

  /** 16 bits in both orders (7.2.3). */
  u16both(at: number, value: number): void {
    this.u16le(at, value);
    this.u16be(at + 2, value);
  }

  /** 32 bits in both orders (7.3.3). */
  u32both(at: number, value: number): void {
    this.u32le(at, value);
    this.u32be(at + 4, value);
  }

  put(at: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, at);
  }

  /** Text in a field of fixed length, filled up. */
  text(at: number, length: number, bytes: Uint8Array, fill: Uint8Array): void {
    for (let index = 0; index < length; index++) {
      this.u8(at + index, bytes[index] ?? fill[index % fill.length]!);
    }
  }
}

/** A date as directory records have it: 7 bytes, UTC (9.1.5). */
export function recordDate(date: Date): Uint8Array {
  return Uint8Array.of(
    date.getUTCFullYear() - 1900,
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
    0,
  );
}

/** A date as volume descriptors have it: 16 digits and the offset from UTC (8.4.26.1); null: not specified. */
export function volumeDate(date: Date | null): Uint8Array {
  const digits = date === null ? "0".repeat(16) : date.toISOString().replace(/\D/g, "").slice(0, 16);
  return Uint8Array.of(...latin(digits), 0);
}

/** The bytes of a text of ASCII characters. */
export function latin(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The bytes of a text as Joliet has it: UCS-2, the greatest byte first. */
export function ucs2(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length * 2);
  for (let index = 0; index < text.length; index++) {
    bytes[index * 2] = text.charCodeAt(index) >> 8;
    bytes[index * 2 + 1] = text.charCodeAt(index) & 0xff;
  }
  return bytes;
}
