/**
 * Whether a copy of a VM that was booted as a test has come up. The word of an agent within it is best. Without one its
 * screen must show something that stays, is no complaint of firmware, boot loader or kernel, and came from its disks:
 * firmware which finds nothing to boot reads a few sectors. Pure.
 */
import { readText } from "../formats/vga/read_text.ts";
import type { Bitmap } from "../formats/png/image.ts";

/** Milliseconds that a screen without an agent must stay the same to count: boot loaders and kernels pause, too. */
export const STEADY_MS = 30_000;
/** Milliseconds that a complaint must stay on the screen to count. */
export const FAULT_MS = 10_000;
/** Bytes that a system has read of its disks at least: boot loaders alone, and firmware, read less. */
export const LEAST_READ_BYTES = 2 * 1024 ** 2;
/** Pixels that may change on a steady screen, and that a blank one may have of another colour: two cells, for a cursor. */
const MOST_CHANGED = 2 * 9 * 16;

/** Text on the screen of a VM that does not boot. */
const FAULTS: readonly RegExp[] = [
  /No bootable (device|option)/i,
  /Boot failed/i,
  /Operating System not found/i,
  /(grub|grub rescue)> *$/m,
  /Kernel panic - not syncing/,
  /\(initramfs\)/,
  /(emergency|rescue) (mode|shell)/i,
  /BOOTMGR is (missing|compressed)/,
  /UEFI Interactive Shell/,
];

/** A look at the screen. */
export interface BootLook {
  /** Milliseconds since the VM was started. */
  readonly at: number;
  readonly isBlank: boolean;
  /** The line that reports a failure. */
  readonly fault: string | undefined;
  /** Since when it is the same but for a few pixels. */
  readonly steadySince: number;
  /** Since when it has this fault. */
  readonly faultSince: number | undefined;
  readonly image: Bitmap;
}

const colourAt = ({ rgb }: Bitmap, pixel: number) =>
  rgb[pixel * 3]! << 16 | rgb[pixel * 3 + 1]! << 8 | rgb[pixel * 3 + 2]!;

/** Whether a screen is of one colour. */
function isBlank(image: Bitmap): boolean {
  const counts = new Map<number, number>(), pixels = image.width * image.height;
  for (let pixel = 0; pixel < pixels; pixel++) {
    const colour = colourAt(image, pixel);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  return Math.max(...counts.values()) >= pixels - MOST_CHANGED;
}

/** Whether two screens are the same but for a few pixels. */
export function isSameScreen(a: Bitmap, b: Bitmap): boolean {
  if (a.width !== b.width || a.height !== b.height) return false;
  const pixels = a.width * a.height;
  let changed = 0;
  for (let pixel = 0; pixel < pixels; pixel++) {
    if (colourAt(a, pixel) !== colourAt(b, pixel) && ++changed > MOST_CHANGED) return false;
  }
  return true;
}

/** The first line of a screen that reports a failure to boot. */
export function screenFault(image: Bitmap): string | undefined {
  return readText(image).find((line) => FAULTS.some((fault) => fault.test(line)))?.replaceAll("\ufffd", "?")
    .trim();
}

/** A new look at the screen, in addition to the one before. @param at milliseconds since the start */
export function lookAtScreen(image: Bitmap, at: number, before: BootLook | undefined): BootLook {
  const isSame = before !== undefined && isSameScreen(before.image, image);
  const fault = screenFault(image);
  return {
    at,
    fault,
    image,
    isBlank: isBlank(image),
    steadySince: isSame ? before.steadySince : at,
    faultSince: fault === undefined ? undefined : before?.faultSince ?? at,
  };
}

/** Observations of a VM that boots. */
export interface BootState {
  /** Milliseconds since it was started. */
  readonly at: number;
  /** Whether it runs. */
  readonly isRunning: boolean;
  /** Whether an agent in it answers. */
  readonly agent: boolean;
  /** Whether one answered when the copy was made: then its silence is a failure. */
  readonly isAgentExpected: boolean;
  /** The last look at its screen; undefined where there was none yet, or it has none. */
  readonly look: BootLook | undefined;
  /** Bytes that it has read of its disks. */
  readonly readBytes: number;
}

/** How it stands. `waiting` says what is missing: the reason, once the time is over. */
export type BootVerdict =
  | { readonly state: "passed"; readonly by: "agent" | "screen" }
  | { readonly state: "failed" | "waiting"; readonly reason: string };

/** Judges a VM that boots. */
export function bootVerdict(
  { at, isRunning, agent, isAgentExpected, look, readBytes }: BootState,
): BootVerdict {
  if (!isRunning) return { state: "failed", reason: "the VM stopped by itself" };
  if (agent) return { state: "passed", by: "agent" };
  const waiting = (reason: string): BootVerdict => ({ state: "waiting", reason });
  const silent = "its guest agent did not answer";
  if (look === undefined) return waiting(isAgentExpected ? silent : "its screen could not be seen");
  const { fault, faultSince, steadySince } = look;
  if (fault !== undefined) {
    const reason = `its screen says: ${fault}`;
    return at - faultSince! >= FAULT_MS ? { state: "failed", reason } : waiting(reason);
  }
  if (isAgentExpected) return waiting(`${silent}, as it did when the copy was made`);
  if (look.isBlank) return waiting("its screen stayed blank");
  if (readBytes < LEAST_READ_BYTES) {
    return waiting("it read hardly anything of its disks: the firmware found no system on them");
  }
  if (at - steadySince < STEADY_MS) return waiting("its screen did not come to rest");
  return { state: "passed", by: "screen" };
}
