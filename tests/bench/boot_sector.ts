/** A machine's whole software: 512 bytes that draw forever, so that a screen has something to send. */

const ORIGIN = 0x7c00;
const SIZE = 512;
const low = (word: number) => [word & 0xff, word >> 8];

/** `mov dx, 0x1ce; mov ax, register; out dx, ax; inc dx; mov ax, value; out dx, ax`: QEMU's display interface. */
const display = (register: number, value: number) => [
  ...[0xba, ...low(0x1ce), 0xb8, ...low(register), 0xef],
  ...[0x42, 0xb8, ...low(value), 0xef],
];

/**
 * The boot sector of a disk: sets the standard VGA of QEMU to this size with 32 bits a pixel, and changes a pixel a
 * hundred times a second. It needs almost none of the host's time, but keeps the VNC server at its fastest pace.
 */
export function bootSector(width: number, height: number): Uint8Array {
  const begin = [
    ...[0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, 0xbc, ...low(ORIGIN)], // cli; ds = ss = 0; sp below this code
    ...display(4, 0), // off
    ...display(1, width),
    ...display(2, height),
    ...display(3, 32),
    ...display(4, 1), // on
    ...[0xb0, 0x34, 0xe6, 0x43, 0xb0, 0x9c, 0xe6, 0x40, 0xb0, 0x2e, 0xe6, 0x40], // timer: 1193182 Hz / 0x2e9c
    ...[0xb8, ...low(0xa000), 0x8e, 0xc0, 0xfb], // es = the screen; sti
  ];
  const loop = [0xf4, 0x26, 0xff, 0x06, 0, 0]; // hlt; inc word [es:0]
  const sector = new Uint8Array(SIZE);
  sector.set([...begin, ...loop, 0xeb, 0x100 - loop.length - 2]); // jmp loop
  sector.set([0x55, 0xaa], SIZE - 2);
  return sector;
}
