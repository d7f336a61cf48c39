/** Parts of this host that only one test may use at a time: test files run at the same time. */
import { testbedDir } from "./names.ts";

/** `accounts`: /etc/passwd and /etc/group, which every change replaces; a mount over the old one is gone then. */
export type SharedThing = "accounts" | "openvswitch";

/** Waits until no other test has it; held until it is disposed of, or the process ends. */
export async function aloneWith(thing: SharedThing): Promise<Disposable> {
  await Deno.mkdir(testbedDir(), { recursive: true });
  const file = await Deno.open(`${testbedDir()}/${thing}.lock`, { create: true, write: true });
  await file.lock(true);
  return { [Symbol.dispose]: () => file.close() };
}
