/** Storage on a page, kept up to date by libvirt's events. */
import { effect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { live } from "./live.ts";
import { reportFailure } from "./toasts.ts";

/** Changes that come together are fetched once. */
const SETTLE_MS = 250;

/**
 * Fetches anew whenever a storage pool changed.
 *
 * @param pool the one that matters; undefined: any
 */
export function usePoolChanges(pool: string | undefined, fetch: () => Promise<void>): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = effect(() => {
      const changed = live.pools.value;
      if (changed === null) return;
      if (pool !== undefined && changed.name !== undefined && changed.name !== pool) return;
      clearTimeout(timer);
      timer = setTimeout(() => fetch().catch((error) => reportFailure("failed.refresh", error)), SETTLE_MS);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, []);
}
