/** A VM's devices on its own page: what the page brought, read again when the VM changes and now and then. */
import type { ReadonlySignal, Signal } from "@preact/signals";
import type { VM, VmDevices } from "../contract/mod.ts";
import { api } from "./api.ts";
import { useQuery, vmChanges } from "./use_query.ts";

/** Milliseconds between two looks: traffic moves, and no event reports changes for the next start alone. */
const AGAIN_MS = 5_000;

/** Sign of a VM's devices: it changes when they may have changed. */
const signOf = ({ state, disks, networkInterfaces }: VM) => JSON.stringify([state, disks, networkInterfaces]);

/** Keeps a VM's devices up to date. @returns the devices, and how to ask for them at once */
export function useDevices(
  vm: Signal<VM>,
  first: VmDevices,
): { devices: ReadonlySignal<VmDevices>; refresh: () => Promise<void> } {
  const { value: devices, reread: refresh } = useQuery<VmDevices>({
    first,
    read: () => api.getVmDevices({ vmId: vm.peek().id }),
    follow: vmChanges(vm, signOf),
    everyMs: AGAIN_MS,
    failed: null, // the page's banner says why
  });
  return { devices, refresh };
}
