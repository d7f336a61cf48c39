/** For tests: libvirt's own test driver, inside libvirt.so. */
import { messageOf } from "../lib/text/message.ts";
import { libvirt } from "./library.ts";

/** Why libvirt cannot be used here; undefined when it can. */
function missing(): string | undefined {
  try {
    libvirt();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

const reason = missing();

/**
 * A test on the real libvirt; where it cannot be loaded it is reported as ignored, with the reason. It is `Deno.test` itself:
 * reports name a test's file after the one that calls that.
 */
export const libvirtTest: (name: string, run: () => void | Promise<void>) => void = reason === undefined
  ? Deno.test
  : (name, run) => Deno.test.ignore(`${name} (ignored: ${reason})`, run);

/**
 * The driver's shared host. All connections of a process to it, of whatever thread, see the same machines: a test
 * defines its own there, and looks at none but its own.
 */
export const SHARED = "test:///default";

/** A machine for the test driver. */
export function testMachine(name: string, uuid: string, inside = ""): string {
  return `<domain type='test'><name>${name}</name><uuid>${uuid}</uuid><memory>65536</memory><vcpu>1</vcpu>` +
    `<os><type>hvm</type></os>${inside}</domain>`;
}

/** Waits until something holds; says what was waited for when it does not. A first run compiles workers for seconds. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  ms = 20_000,
): Promise<void> {
  const end = performance.now() + ms;
  while (!await holds()) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
