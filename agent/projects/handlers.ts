/** The commands on projects. */
import {
  ContractError,
  MOST_PROJECTS,
  type Project,
  type projectCommands,
  type VM,
} from "../../lib/contract/mod.ts";
import { isAdministrator } from "../../lib/access/rights.ts";
import { exceeded } from "../../lib/projects/quota.ts";
import { releaseProject } from "../access/covers.ts";
import type { Access } from "../access/mod.ts";
import type { Clock } from "../clock.ts";
import type { Handlers } from "../dispatch.ts";
import type { EventHub } from "../events/hub.ts";
import { memberHandlers, membersOf } from "./member_handlers.ts";
import type { Projects } from "./projects.ts";
import type { StoredProject } from "./records.ts";

/** Services for the commands on projects: their records, access, events, the clock, and look-up of VMs. */
export interface ProjectServices {
  readonly projects: Projects;
  readonly access: Access;
  readonly hub: Pick<EventHub, "publish">;
  readonly clock: Clock;
  readonly vm: (vmId: string) => VM | undefined;
}

/** A handler for each of them. */
export function projectHandlers(
  { projects, access, hub, clock, vm }: ProjectServices,
): Pick<Handlers, keyof typeof projectCommands> {
  const { rows } = projects, { accounts } = access;
  const shown = ({ pools, networks, images, ...project }: StoredProject): Project => {
    const usage = projects.usageOf(project.id);
    return {
      ...project,
      pools: [...pools],
      networks: [...networks],
      images: [...images],
      usage,
      over: exceeded(project.quota, usage),
    };
  };
  const requireFree = (name: string, but?: string) => {
    // A grant may name a project by either
    const isTaken = rows.require().all().some((each) =>
      each.id !== but && (each.name === name || each.id === name)
    );
    if (isTaken) throw new ContractError("ProjectExists", { name });
  };
  const changed = () => hub.publish("projects-changed", {});
  const requireVm = (vmId: string): VM => {
    const found = vm(vmId);
    if (found === undefined) throw new ContractError("VmNotFound", { vmId });
    return found;
  };
  return {
    list_projects: () =>
      rows.require().all().toSorted((a, b) => a.name.localeCompare(b.name, "en")).map(shown),
    get_project: ({ projectId }, { principal }) => ({
      ...shown(projects.require(projectId)),
      vmsOfIt: projects.vmsOf(projects.require(projectId).id).map(({ row, counted }) => ({
        vmId: row.id,
        name: vm(row.id)?.name ?? row.name,
        inBin: counted.vms === 0,
        cpus: counted.cpus,
        memoryMb: counted.memoryMb,
        diskGb: counted.diskGb,
        endsAt: row.endsAt,
      })).toSorted((a, b) => a.name.localeCompare(b.name, "en")),
      members: isAdministrator(principal.rights) ? membersOf(accounts, projectId) : [],
    }),
    create_project: (
      { name, description = "", pools = [], networks = [], images = [], defaults = {}, quota = {} },
    ) => {
      requireFree(name);
      if (rows.all().length >= MOST_PROJECTS) {
        throw new ContractError("TooManyProjects", { limit: MOST_PROJECTS });
      }
      const project = {
        id: crypto.randomUUID(),
        name,
        description,
        pools,
        networks,
        images,
        defaults,
        quota,
        createdAt: clock.now(),
      };
      rows.put(project);
      changed();
      return shown(project);
    },
    update_project: ({ projectId, ...change }) => {
      const before = projects.require(projectId);
      if (change.name !== undefined) requireFree(change.name, before.id);
      const project = { ...before, ...change };
      rows.put(project);
      if (project.name !== before.name) projects.renamed(project.id);
      changed();
      return shown(project);
    },
    set_quota: ({ projectId, ...quota }) => {
      const project = { ...projects.require(projectId), quota };
      rows.put(project);
      changed();
      return shown(project);
    },
    delete_project: ({ projectId }) => {
      const { id } = projects.require(projectId);
      // Rights first: cut short, it is deleted once more
      releaseProject(access, id);
      projects.delete(id);
      changed();
      return null;
    },
    ...memberHandlers({ projects, access }),
    set_vm_project: ({ vmId, project }) => ({ project: projects.move(requireVm(vmId), project) }),
    set_vm_end: ({ vmId, endsAt }) => {
      const found = requireVm(vmId);
      if (endsAt !== undefined && (endsAt <= clock.now() || endsAt > LAST_DATE)) {
        throw new ContractError("InvalidInput", {
          reason: "endsAt must be later than now, and before the year 10000",
          field: "endsAt",
        });
      }
      projects.setEnd(found, endsAt ?? null);
      return { endsAt: endsAt ?? null };
    },
  };
}

/** Milliseconds since 1970 of the end of the year 9999. */
const LAST_DATE = Date.UTC(10_000, 0) - 1;
