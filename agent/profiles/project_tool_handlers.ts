/** The commands on the tools of projects: those of a profile, and those that a project has for itself. */
import {
  ContractError,
  type profileCommands,
  type ToolRef,
  type ToolRefWithSource,
} from "../../lib/contract/mod.ts";
import { skillParameters } from "../../lib/profiles/skill.ts";
import { distinctTools, isTool } from "../../lib/profiles/tools.ts";
import type { Handlers } from "../dispatch.ts";
import { copied, iso, type ProfileServices } from "./handlers.ts";
import { orDatabaseError } from "./records.ts";

/** As many as one project may have of its own. */
const MOST_LOCAL = 200;

export type ProjectToolCommand = Extract<
  keyof typeof profileCommands,
  "assign_profile" | "unassign_profile" | "add_local_tool" | "remove_local_tool" | "get_project_tools"
>;

/** A handler for each of them. */
export function projectToolHandlers(
  { records, requireProject, clock }: ProfileServices,
): Pick<Handlers, ProjectToolCommand> {
  const { profiles, projects } = records;
  const projectNamed = (id: string) => orDatabaseError(() => requireProject(id));
  const sourced = (source: "profile" | "local", refs: readonly ToolRef[]): ToolRefWithSource[] =>
    copied(refs).map(({ name, tool_type, permissions }) => {
      const tool = tool_type === "skill" ? records.tool(tool_type, name) : undefined;
      const shown = { name, tool_type, source, permissions };
      return tool === undefined ? shown : { ...shown, parameters: skillParameters(tool) };
    });
  return {
    assign_profile: ({ project_id, profile_id }) => {
      const { id, name } = projectNamed(project_id), profile = records.profile(profile_id);
      const before = records.toolsOf(id);
      if (before.profile !== null) {
        const has = profiles.get(before.profile)?.name ?? before.profile;
        throw new ContractError("ProjectAlreadyAssigned", { project: name, profile: has });
      }
      records.change(() => [projects.putting({ ...before, profile: profile.id })]);
      return { project_id: id, profile_id: profile.id, assigned_at: iso(clock.now()) };
    },
    unassign_profile: ({ project_id }) => {
      const { id, name } = projectNamed(project_id), before = records.toolsOf(id);
      if (before.profile === null) throw new ContractError("NoProfileAssigned", { project: name });
      records.change(() => [projects.putting({ ...before, profile: null })]);
      return { project_id: id, unassigned_at: iso(clock.now()) };
    },
    add_local_tool: ({ project_id, tool_ref }) => {
      const { id, name: project } = projectNamed(project_id), before = records.toolsOf(id);
      const [ref] = distinctTools([tool_ref]) as [ToolRef], { name: tool_name, tool_type } = ref;
      if (before.local.some((each) => isTool(each, ref))) {
        throw new ContractError("ToolAlreadyExists", { project, tool_type, tool_name });
      }
      if (before.local.length >= MOST_LOCAL) {
        const reason = `a project has ${MOST_LOCAL} local tools at most`;
        throw new ContractError("InvalidInput", { reason, field: "tool_ref" });
      }
      records.change(() => [projects.putting({ ...before, local: [...before.local, ref] })]);
      return { project_id: id, tool_name, added_at: iso(clock.now()) };
    },
    remove_local_tool: ({ project_id, tool_name, tool_type }) => {
      const { id } = projectNamed(project_id), before = records.toolsOf(id);
      const key = { tool_type, name: tool_name.normalize("NFC") };
      const local = before.local.filter((each) => !isTool(each, key));
      if (local.length === before.local.length) {
        throw new ContractError("ToolNotFound", { tool_type, tool_name });
      }
      records.change(() => [projects.putting({ ...before, local })]);
      return { project_id: id, removed: true };
    },
    get_project_tools: ({ project_id }) => {
      const { id } = projectNamed(project_id);
      orDatabaseError(() => projects.require());
      const { profile, local } = records.toolsOf(id);
      const assigned = profile === null ? undefined : profiles.get(profile);
      return {
        project_id: id,
        profile: assigned === undefined ? null : { id: assigned.id, name: assigned.name },
        profile_tools: sourced("profile", assigned?.tool_refs ?? []),
        local_tools: sourced("local", local),
      };
    },
  };
}
