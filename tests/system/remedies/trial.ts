/** Trials of the advice in texts, and their shared parts. */
import { testMachine } from "../../testbed/machine.ts";
import { type TestPool, testPool } from "../../testbed/pool.ts";
import { call, known, knownPool, shows } from "../../testbed/product.ts";
import type { TestServer } from "../../testbed/server.ts";

/** A trial of a piece of advice, or the reason why there is none. */
export type RemedyTrial =
  /** The trial itself. */
  | { readonly here: (server: TestServer) => Promise<void> }
  /** Path of a test that tries it: these words are the refusal, and `then`, which follows them, the call that is advised. */
  | { readonly by: string; readonly words: string; readonly then: string }
  | { readonly not: string };

export const ANOTHER: RemedyTrial = {
  not: "another value is given: the same command takes it, as its own tests show",
};
export const WAIT: RemedyTrial = { not: "it is waited for, and tried again" };
export const OUTSIDE: RemedyTrial = {
  not: "it is done in the guest, on the host, or at a server, by no command of ours",
};
export const SAYS: RemedyTrial = { not: "it says what is so, and advises nothing" };

const pools = new AsyncDisposableStack();

/** A pool that stays until {@link removePools}. While one goes, nothing is deleted from any other: it cannot be read. */
export const lastingPool = async (purpose: string): Promise<TestPool> => pools.use(await testPool(purpose));

/** Removes the pools of all trials. */
export const removePools = (): Promise<void> => pools.disposeAsync();

/** A VM that is off, with a disk in a pool. */
export async function stopped(
  server: TestServer,
  work: (vmId: string, vm: { name: string; pool: string; disk: string }) => Promise<void>,
): Promise<void> {
  const pool = await lastingPool("remedy");
  await using vm = await testMachine({ purpose: "remedy", guest: false, disks: [{ pool, size: "8M" }] });
  await known(server, vm.uuid);
  await knownPool(server, pool.name);
  await work(vm.uuid, { name: vm.name, pool: pool.name, disk: vm.disks[0]! });
}

/** A VM whose memory is saved. */
export const suspended = (server: TestServer, work: (vmId: string, vm: { name: string }) => Promise<void>) =>
  stopped(server, async (vmId, vm) => {
    await suspend(server, vmId);
    await work(vmId, vm);
  });

/** Starts a VM and saves its memory. */
export async function suspend(server: TestServer, vmId: string): Promise<void> {
  await call(server, "start_vm", { vmId });
  await call(server, "suspend_vm", { vmId });
  await shows(server, vmId, ({ state }) => state === "suspended");
}

/** A folder that VMs may share. */
export async function sharedFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ dir: "/var/tmp", prefix: "kvmm-test-share-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
