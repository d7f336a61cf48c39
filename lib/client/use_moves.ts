/** The moves of a VM's disks on its own page: what the page brought, then what the jobs tell. */
import { type ReadonlySignal, useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Job } from "../contract/mod.ts";
import { isMoveOf } from "../vm/disk_move.ts";
import { isOpen, pageJobs } from "./jobs.ts";

/** Keeps the moves under way up to date. */
export function useMoves(vmId: string, first: readonly Job[]): ReadonlySignal<readonly Job[]> {
  const isKept = useSignal(false);
  useEffect(() => {
    pageJobs.seed(first);
    isKept.value = true;
  }, []);
  return useComputed(() =>
    isKept.value ? pageJobs.list.value.filter((job) => isOpen(job) && isMoveOf(vmId)(job)) : first
  );
}
