/** End dates of VMs: told beforehand, and at the end the guest is asked once to shut down. Nothing is deleted. */
import type { Api } from "../../lib/contract/api.ts";
import { ContractError, type VM } from "../../lib/contract/mod.ts";
import { type EndStage, endText, stageOf } from "../../lib/projects/end_date.ts";
import type { ActivityEntry } from "../store/activity.ts";
import type { Clock } from "../clock.ts";
import { log } from "../log.ts";
import type { Projects } from "./projects.ts";

/** Services for end dates: the clock, look-up of VMs, the command that stops one, and the activity log. */
export interface EndDateWorld {
  readonly clock: Clock;
  readonly vm: (vmId: string) => VM | undefined;
  readonly api: () => Pick<Api, "stopVm">;
  readonly record: (entry: ActivityEntry) => void;
}

const ORDER: readonly (EndStage | null)[] = [null, "week", "day", "over"];

/** Asks a guest to shut down. One that is off, or was asked already, needs nothing. @throws {ContractError} */
async function shutDown({ api }: EndDateWorld, { id, state }: VM): Promise<void> {
  if (state !== "running" && state !== "paused") return;
  try {
    await api().stopVm({ vmId: id });
  } catch (error) {
    if (!(error instanceof ContractError) || error.code !== "VmNotRunning") throw error;
  }
}

/** Records which VMs are near their end date, and shuts down the VMs whose end date has come. */
export async function lookAtEndDates(projects: Projects, world: EndDateWorld): Promise<void> {
  for (const row of projects.kept()) {
    const { endsAt, told } = row, vm = world.vm(row.id);
    if (endsAt === null || vm === undefined) continue;
    const stage = stageOf(endsAt, world.clock.now());
    if (ORDER.indexOf(stage) <= ORDER.indexOf(told)) continue;
    try {
      if (stage === "over") await shutDown(world, vm);
    } catch (error) {
      // Its host or its guest is away: it is asked again at the next look
      log.info("a VM at its end date could not be asked to shut down", { vm: vm.name, error });
      continue;
    }
    const now = projects.get(row.id);
    // Somebody has set another date meanwhile
    if (now === undefined || now.endsAt !== endsAt) continue;
    projects.tell(now, stage);
    world.record({
      actor: "kvm-manager",
      door: "agent",
      result: "event",
      vmId: vm.id,
      vmName: vm.name,
      action: stage === "over" ? "vm-ended" : "vm-ends-soon",
      message: endText(endsAt, stage!),
    });
  }
}
