/** Props of the form of a schedule and of its panels. */
import type { VM } from "../../lib/contract/mod.ts";
import type { ScheduleValues } from "../../lib/schedules/form_values.ts";
import type { Preview } from "./NextRuns.tsx";

export interface ScheduleFormProps {
  /** Address that it is sent to; `here`: the page that shows it again with a preview. */
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
  errorAt: (field: string) => string | undefined;
  submit: string;
}
