/** Functions shared by the pages with the form of a schedule. */
import type { Preview } from "../../components/schedules/NextRuns.tsx";
import type { ScheduleFormProps } from "../../components/schedules/schedule_form_props.ts";
import type { ScheduleValues } from "../../lib/schedules/form_values.ts";
import { scheduleCommands } from "../../lib/contract/schedules.ts";
import type { PageState } from "../../lib/page_state.ts";
import { type Failure, failureOf } from "../../lib/text/failure.ts";
import { reasonOf } from "../../lib/text/field_sentence.ts";
import { formInput } from "../../lib/text/form_input.ts";
import { fail, unlessAway } from "./fail.ts";

const preview = scheduleCommands.preview_schedule;

/** A failure next to a field: its name is not said in front. */
function shortened(failure: Failure): Failure {
  return { ...failure, why: reasonOf(failure.why) };
}

/** When a schedule with these fields would run. */
async function previewOf({ api }: PageState, values: ScheduleValues): Promise<Preview> {
  const fields = Object.keys((preview.input as { properties?: object }).properties ?? {});
  const own = Object.entries(values).filter(([name]) => fields.includes(name.split(".")[0]!));
  try {
    const input = formInput(preview, own) as Parameters<typeof api.previewSchedule>[0];
    return { ...await api.previewSchedule(input), failure: null };
  } catch (error) {
    const failure = failureOf(error);
    if (failure.status !== 400) fail(error);
    return { timeZone: values.timeZone ?? "UTC", next: [], failure: shortened(failure) };
  }
}

/** Props of a schedule's form: the values typed last, VMs to choose from, the next runs. */
export async function scheduleForm(
  state: PageState,
  url: URL,
  first: ScheduleValues,
): Promise<Pick<ScheduleFormProps, "values" | "vms" | "backups" | "zones" | "preview">> {
  const asked = Object.fromEntries(url.searchParams);
  const values = state.refused?.typed ?? ("frequency" in asked ? asked : first);
  const vms = await state.api.getVms().catch(unlessAway) ?? [];
  const backups = state.may("run_backup_now") ? await state.api.listBackups({}).catch(unlessAway) ?? [] : [];
  return {
    values,
    backups: backups.map(({ id, name }) => ({ id, name })),
    vms: vms.map(({ id, name, tags, group }) => ({ id, name, tags, ...(group !== undefined && { group }) })),
    zones: Intl.supportedValuesOf("timeZone"),
    preview: await previewOf(state, values),
  };
}
