/** What the form of a schedule and its panels show. */
import type { VM } from "../../lib/contract/mod.ts";
import type { ScheduleValues } from "../../lib/schedules/form_values.ts";
import type { Preview } from "./NextRuns.tsx";

export interface ScheduleFormProps {
  /** Where it is sent, and where it is shown again with a preview. */
  action: string;
  here: string;
  values: ScheduleValues;
  vms: readonly Pick<VM, "id" | "name" | "tags" | "group">[];
  /** Those that may be run. */
  backups: readonly { readonly id: string; readonly name: string }[];
  zones: readonly string[];
  preview: Preview;
  /** Whether it is for VMs, too, that who looks may not see. */
  hasHidden?: boolean | undefined;
  /** What is wrong with a field. */
  errorAt: (field: string) => string | undefined;
  submit: string;
}
