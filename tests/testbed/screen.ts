/** A machine's screen as virsh sees it. */
import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";
import type { Bitmap } from "../../lib/formats/png/image.ts";
import { decodePng } from "../../lib/formats/png/png.ts";
import { virsh } from "./libvirt.ts";
import { filesOf } from "./names.ts";
import { until } from "./wait.ts";

/** The pixels of a PNG file. */
export const decode = (file: Uint8Array): Bitmap =>
  decodePng(file, (bytes, most) => inflateSync(bytes, { maxOutputLength: most }));

/** How much two pictures of one size differ: the mean over all bytes. A blinking cursor is next to nothing. */
export function difference(a: Bitmap, b: Bitmap): number {
  assert.deepEqual([a.width, a.height], [b.width, b.height]);
  return a.rgb.reduce((sum, byte, at) => sum + Math.abs(byte - b.rgb[at]!), 0) / a.rgb.length;
}

/** Whether anything is on the screen. */
export const lit = (image: Bitmap): boolean => image.rgb.some((byte) => byte > 100);

/** Whether two pictures show the same. */
export const same = (a: Bitmap, b: Bitmap): boolean =>
  a.rgb.length === b.rgb.length && difference(a, b) < 0.2;

/** The pixels as virsh gets them, of a machine of this testbed. */
export async function witness(name: string): Promise<Bitmap> {
  const path = `${filesOf(name)}/screen.png`;
  await virsh("screenshot", name, path);
  return decode(await Deno.readFile(path));
}

/** Waits until the firmware of a machine without a guest has failed to boot: nothing changes any more. @returns the screen */
export async function firmwareIsDone(name: string): Promise<Bitmap> {
  let last = await witness(name);
  return await until("the firmware's last word", async () => {
    const now = await witness(name);
    const isStill = lit(now) && same(now, last);
    last = now;
    return isStill ? now : null;
  }, { seconds: 60, every: 1500 });
}
