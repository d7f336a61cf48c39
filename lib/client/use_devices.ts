/** A machine's devices on its own page: what the page brought, asked anew when the machine changes and now and then. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { VM, VmDevices } from "../contract/mod.ts";
import { api } from "./api.ts";
import { live } from "./live.ts";

/** Milliseconds between two looks: traffic moves, and no event tells of changes for the next start alone. */
const AGAIN_MS = 5_000;

/** What of a machine tells that its devices have changed. */
const signOf = ({ state, disks, networkInterfaces }: VM) => JSON.stringify([state, disks, networkInterfaces]);

/**
 * Keeps a machine's devices up to date.
 *
 * @returns The devices, and how to ask for them at once. A look that fails leaves what was known: the page's banner
 * says why.
 */
export function useDevices(
  vm: Signal<VM>,
  first: VmDevices,
): { devices: Signal<VmDevices>; refresh: () => Promise<void> } {
  const devices = useSignal(first);
  const refresh = async () => {
    if (!live.controllable.peek()) return;
    const found = await api.getVmDevices({ vmId: vm.peek().id }).catch(() => null);
    if (found !== null) devices.value = found;
  };
  useEffect(() => {
    let sign = signOf(vm.peek());
    const unsubscribe = vm.subscribe((newest) => {
      const next = signOf(newest);
      if (next === sign) return;
      sign = next;
      void refresh();
    });
    const timer = setInterval(() => document.hidden || void refresh(), AGAIN_MS);
    return () => {
      unsubscribe();
      clearInterval(timer);
    };
  }, []);
  return { devices, refresh };
}
