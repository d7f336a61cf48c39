/** One VM on its own page: what the page brought, kept up to date. */
import { effect, type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { VM } from "../contract/mod.ts";
import { live } from "./live.ts";

/**
 * Keeps the VM in `vm` up to date. Islands of a page share the signal, so it does not matter which of them asks.
 *
 * @returns Whether the VM was deleted meanwhile.
 */
export function useLiveVm(vm: Signal<VM>): Signal<boolean> {
  const isGone = useSignal(false);
  useEffect(() => {
    const { id } = vm.peek();
    live.vms.seed([vm.peek()], false);
    return effect(() => {
      const newest = live.vms.get(id);
      isGone.value = newest === undefined;
      if (newest !== undefined) vm.value = newest;
    });
  }, []);
  return isGone;
}
