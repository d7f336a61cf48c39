/** A guest of 512 bytes, which tells by its disk that it has booted. */
import { run } from "./process.ts";

const SECTOR = 512, MIB = 2 ** 20;

/** It writes itself to the ninth sector of its disk. */
export function selfWriter(): Uint8Array<ArrayBuffer> {
  const sector = new Uint8Array(SECTOR);
  sector.set([
    ...[0x31, 0xc0, 0x8e, 0xc0], // xor ax,ax; mov es,ax
    ...[0xbb, 0x00, 0x7c, 0xb8, 0x01, 0x03], // mov bx,0x7c00; mov ax,0x0301
    ...[0xb9, 0x09, 0x00, 0xb6, 0x00, 0xcd, 0x13], // mov cx,9; mov dh,0; int 0x13
    ...[0xf4, 0xeb, 0xfd], // hlt; jmp to the hlt
  ]);
  sector.set([0x55, 0xaa], SECTOR - 2);
  return sector;
}

/** Writes a raw disk of so many MiB that a guest boots from, with known data in it. */
export async function bootableDisk(path: string, mib: number): Promise<void> {
  const bytes = new Uint8Array(mib * MIB);
  bytes.set(selfWriter());
  for (let at = 4 * MIB; at < 6 * MIB; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
  await Deno.writeFile(path, bytes);
}

/** Whether the guest of a qcow2 disk has booted. @param scratch a file that may be written */
export async function hasBooted(disk: string, scratch: string): Promise<boolean> {
  await run([
    ...["qemu-img", "dd", "-U", "-f", "qcow2", "-O", "raw", "bs=512", "skip=8", "count=9"],
    ...[`if=${disk}`, `of=${scratch}`],
  ]);
  const found = await Deno.readFile(scratch), wanted = selfWriter();
  return found.length === SECTOR && found.every((byte, at) => byte === wanted[at]);
}
