/** A device as the VM's next start has it. Pure. */
import type { DeviceDifference } from "../contract/mod.ts";
import { isLimit } from "../text/device_limits.ts";

const WORDS: ReadonlyMap<string | null, boolean | undefined> = new Map([
  ["true", true],
  ["false", false],
  [null, undefined],
]);

/** The device as its next start has it: what is changed there is shown as it will be. */
export function asNext<D extends { readonly pending: readonly DeviceDifference[] }>(device: D): D {
  const next = device.pending.map(({ field, next }) => [
    field,
    WORDS.has(next) ? WORDS.get(next) : isLimit(field) ? Number(next) : next,
  ]);
  return { ...device, ...Object.fromEntries(next) };
}
