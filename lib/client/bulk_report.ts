/** The report on an action on several VMs, which a dialog of every page shows. */
import { signal } from "@preact/signals";
import type { VM } from "../contract/mod.ts";
import type { Failure } from "../text/failure.ts";

/** The VMs on which something failed, and what is to be known of the others. */
export interface BulkReport {
  readonly title: string;
  readonly succeeded: number;
  readonly failures: readonly { readonly vm: VM; readonly failure: Failure }[];
  readonly warned: readonly { readonly vm: VM; readonly warnings: readonly string[] }[];
}

/** The report on the screen. */
export const bulkReport = signal<BulkReport | null>(null);
