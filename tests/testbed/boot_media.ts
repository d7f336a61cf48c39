/** Media that boot on a BIOS and say on the serial line which of them it was: a few bytes of code each. */

/** Sets ds, writes the text after it to the first serial port, and halts. Runs wherever it is loaded. */
const CODE = [
  ...[0xe8, 0x00, 0x00, 0x5e, 0x0e, 0x1f, 0x83, 0xc6, 0x15], // call next; pop si; ds = cs; si = the text
  ...[0xba, 0xf8, 0x03, 0xfc], // dx = COM1; cld
  ...[0xac, 0x84, 0xc0, 0x74, 0x03, 0xee, 0xeb, 0xf8], // until a zero: lodsb; out dx, al
  ...[0xf4, 0xeb, 0xfd], // hlt for ever
];
const BLOCK = 2048;

/** A boot sector that says `text`. */
export function speakingSector(text: string): Uint8Array<ArrayBuffer> {
  const sector = new Uint8Array(512);
  sector.set(CODE);
  sector.set(new TextEncoder().encode(`${text}\n\0`), CODE.length);
  sector.set([0x55, 0xaa], 510);
  return sector;
}

/** A CD that says `text`: nothing but what El Torito asks for. */
export function speakingCd(text: string): Uint8Array<ArrayBuffer> {
  const image = new Uint8Array(64 * BLOCK), ascii = new TextEncoder();
  const descriptor = (block: number, type: number) =>
    image.set([type, ...ascii.encode("CD001"), 1], block * BLOCK);
  descriptor(16, 1);
  descriptor(17, 0);
  image.set(ascii.encode("EL TORITO SPECIFICATION"), 17 * BLOCK + 7);
  image[17 * BLOCK + 0x47] = 19; // where the catalogue is
  descriptor(18, 255);
  image.set([1, 0], 19 * BLOCK);
  image.set([0xaa, 0x55, 0x55, 0xaa], 19 * BLOCK + 0x1c); // its checksum is 0
  // bootable, no emulation, one sector, at block 20
  image.set([0x88, 0, 0, 0, 0, 0, 1, 0, 20], 19 * BLOCK + 0x20);
  image.set(speakingSector(text), 20 * BLOCK);
  return image;
}
