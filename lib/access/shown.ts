/**
 * What somebody may see of what is told to many: lists, the activity, jobs, events. Whoever sees only some machines
 * learns nothing of the others. Pure.
 */
import {
  accessCommands,
  type Activity,
  auditCommands,
  type CommandName,
  type HostInfo,
  type Job,
  passkeyCommands,
  type VM,
} from "../contract/mod.ts";
import type { Published } from "../contract/events.ts";
import { type Sight, withoutHidden } from "./hidden.ts";
import { isAdministrator, may, type Rights, seesEverything } from "./rights.ts";

/** Who looks, and what is known of machines. */
export interface Viewer {
  readonly rights: Rights;
  readonly name: string;
  /** The group of a machine; undefined where it has none, or is gone. */
  readonly groupOf: (vmId: string) => string | undefined;
}

/** Whether a machine may be seen. */
export function seesVm({ rights, groupOf }: Viewer, vmId: string): boolean {
  return may(rights, "vms.view", { vmId, group: groupOf(vmId) });
}

/** What administrators do with accounts is for administrators. */
function seesActivity(viewer: Viewer, { action, actor, vmId }: Activity): boolean {
  if (isAdministrator(viewer.rights)) return true;
  if (Object.hasOwn(accessCommands, action) || Object.hasOwn(passkeyCommands, action)) return false;
  if (action === "prune_audit" || Object.hasOwn(auditCommands, action)) return false;
  // Not even one's own attempts on a machine out of sight: the entry has its name.
  if (vmId !== undefined) return seesVm(viewer, vmId);
  return actor === viewer.name || seesEverything(viewer.rights);
}

/** Whether a job may be seen: one's own, of a machine one sees, or of the storage. */
export function seesJob(viewer: Viewer, { actor, vmId }: Job): boolean {
  if (isAdministrator(viewer.rights) || actor === viewer.name) return true;
  return vmId === undefined ? may(viewer.rights, "storage.view", "everything") : seesVm(viewer, vmId);
}

/** What of a command's answer is shown. */
type Filters = {
  readonly [N in CommandName]?: (answer: never, viewer: Viewer, vms: () => readonly VM[]) => unknown;
};

const ANSWERS: Filters = {
  get_vms: (list: readonly VM[], viewer) => list.filter(({ id }) => seesVm(viewer, id)),
  get_activity: (list: readonly Activity[], viewer) => list.filter((each) => seesActivity(viewer, each)),
  list_jobs: (list: readonly Job[], viewer) => list.filter((each) => seesJob(viewer, each)),
  get_host_info: (info: HostInfo, viewer, vms) => {
    if (may(viewer.rights, "vms.view", "everything")) return info;
    const seen = vms().filter(({ id }) => seesVm(viewer, id));
    const active = seen.filter(({ state }) => state === "running" || state === "paused");
    return { ...info, activeVms: active.length, totalVms: seen.length };
  },
};

/** Lists that are cut to a length before they are filtered: how much of them is asked for, so that enough is left. */
export const LONGEST: Partial<Record<CommandName, number>> = { get_activity: 500, list_jobs: 200 };

/** What of the machines somebody sees; undefined where it is all of them. */
export function sightOf(viewer: Viewer, vms: () => readonly VM[]): Sight | undefined {
  if (may(viewer.rights, "vms.view", "everything")) return undefined;
  const sees = (vmId: string) => seesVm(viewer, vmId);
  return { sees, hiddenNames: new Set(vms().filter(({ id }) => !sees(id)).map(({ name }) => name)) };
}

/** A command's answer as somebody may see it. */
export function shownAnswer(
  command: CommandName,
  answer: unknown,
  viewer: Viewer,
  vms: () => readonly VM[],
): unknown {
  if (isAdministrator(viewer.rights)) return answer;
  const filter = ANSWERS[command] as ((...call: [unknown, Viewer, typeof vms]) => unknown) | undefined;
  const shown = filter === undefined ? answer : filter(answer, viewer, vms);
  const sight = sightOf(viewer, vms);
  return sight === undefined ? shown : withoutHidden(shown, sight);
}

/** An event stream as somebody may see it. It remembers which machines it has told of: some go out of sight. */
export class EventView {
  readonly #known: Set<string>;

  /** @param known ids of the machines that are seen when the stream begins */
  constructor(private readonly viewer: Viewer, known: Iterable<string>) {
    this.#known = new Set(known);
  }

  /** The event as it is told; null when it is not. */
  shown(event: Published): Published | null {
    const { viewer } = this;
    const [name, data] = event;
    switch (name) {
      case "vm-created":
      case "vm-updated": {
        if (may(viewer.rights, "vms.view", { vmId: data.vm.id, group: data.vm.group })) {
          this.#known.add(data.vm.id);
          return event;
        }
        return this.#known.delete(data.vm.id) ? ["vm-deleted", { vmId: data.vm.id }] : null;
      }
      case "vm-deleted":
        return this.#known.delete(data.vmId) ? event : null;
      case "vm-state-changed":
      case "vm-stats-updated":
        return seesVm(viewer, data.vmId) ? event : null;
      case "activity":
        return seesActivity(viewer, data) ? event : null;
      case "job-changed":
      case "job-progress":
        return seesJob(viewer, data.job) ? event : null;
      case "network-changed":
        return may(viewer.rights, "networks.view", "everything") ? event : null;
      case "pool-changed":
        return may(viewer.rights, "storage.view", "everything") ? event : null;
      case "host-stats-updated":
      case "connection-status-changed":
      case "reload":
        return event;
      default:
        return seesEverything(viewer.rights) ? event : null;
    }
  }
}
