/** Keeps an island's data from the server current. */
import { computed, type ReadonlySignal, type Signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { VM } from "../contract/mod.ts";
import type { PlainKey } from "../i18n/mod.ts";
import { live } from "./live.ts";
import { Query, type QueryOptions, whenChanged } from "./query.ts";
import { reportFailure } from "./toasts.ts";

/** Options of {@link useQuery}. */
export interface UseQuery<T> extends Pick<QueryOptions<T>, "first" | "read" | "follow" | "everyMs"> {
  /** Message when it cannot be read; null when the page's banner shows it. */
  readonly failed?: PlainKey | { readonly sentence: string } | null;
}

/**
 * Reads something again whenever it may have changed. The old value stays while it is read, and when it cannot be.
 *
 * @returns the value, and how to read it at once: after something was done to it
 */
export function useQuery<T>(
  { failed = "failed.refresh", ...options }: UseQuery<T>,
): { value: ReadonlySignal<T>; reread: () => Promise<void> } {
  const query = useMemo(() =>
    new Query({
      ...options,
      canRead: () => !document.hidden && live.controllable.peek(),
      onFailure: (error) => failed === null ? undefined : reportFailure(failed, error),
    }), []);
  useEffect(() => {
    const stop = query.start();
    // `first` is of when the page was rendered: what changed since then, an island that comes to life late has not heard.
    // And what could not be read then may be readable now.
    if (live.changes() > 0 || options.first === null) void query.reread();
    return stop;
  }, []);
  return { value: query.value, reread: () => query.reread() };
}

/** Changes of networks, and of what uses them. */
export const networkChanges = whenChanged(live.networkChanges, live.vmChanges);

/** Changes of storage pools. @param pool the one that matters; undefined: any */
export function poolChanges(pool?: string): UseQuery<unknown>["follow"] {
  return (changed) =>
    whenChanged(live.pools)(() => {
      const name = live.pools.peek()?.name;
      if (pool === undefined || name === undefined || name === pool) changed();
    });
}

/** Changes of what `sign` contains of a VM. */
export function vmChanges(vm: Signal<VM>, sign: (vm: VM) => string): UseQuery<unknown>["follow"] {
  return (changed) => whenChanged(computed(() => sign(vm.value)))(changed);
}
