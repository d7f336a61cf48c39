/** The commands that use a tool of a project. */
import { ContractError, type ToolRef, type ToolType, type toolUseCommands } from "../../lib/contract/mod.ts";
import { allowsName } from "../../lib/profiles/allowed.ts";
import { toolText } from "../../lib/profiles/tools.ts";
import type { Handlers } from "../dispatch.ts";
import { orDatabaseError, type StoredTool } from "./records.ts";
import { runSkill } from "./skills.ts";
import type { ToolServices } from "./tool_handlers.ts";

/** A handler for each of them. */
export function toolUseHandlers(services: ToolServices): Pick<Handlers, keyof typeof toolUseCommands> {
  const { records, guard, servers, requireProject } = services, { tools } = records;
  /** The tool of a project, and its definition. @throws {ContractError} ToolNotFound, ToolNotAllowed, DatabaseError */
  const usable = (
    projectId: string,
    tool_type: ToolType,
    tool_name: string,
  ): { ref: ToolRef; tool: StoredTool } => {
    orDatabaseError(() => tools.require());
    const name = tool_name.normalize("NFC");
    const ref = guard.toolsOf(projectId).find((each) => each.tool_type === tool_type && each.name === name);
    const tool = records.tool(tool_type, name);
    if (ref === undefined || tool === undefined) {
      throw new ContractError("ToolNotFound", { tool_type, tool_name });
    }
    if (!tool.enabled) {
      throw new ContractError("ToolNotAllowed", {
        tool: toolText(ref),
        command: "anything",
        reason: "it is not enabled",
      });
    }
    return { ref, tool };
  };
  return {
    run_skill: async ({ project_id, tool_name, parameters = {} }, { principal }) => {
      const { id, name } = requireProject(project_id), { ref, tool } = usable(id, "skill", tool_name);
      const run = { tool, ref, project: { id, name }, given: parameters, principal };
      return { project_id: id, tool_name: ref.name, steps: await runSkill(services, run) };
    },
    list_server_tools: async ({ project_id, tool_name }) => {
      const { id } = requireProject(project_id), { ref, tool } = usable(id, "mcp", tool_name);
      return (await servers.list(tool)).filter(({ name }) => allowsName(ref.permissions, name));
    },
    call_server_tool: async ({ project_id, tool_name, tool: called, arguments: args = {} }) => {
      const { id } = requireProject(project_id), { ref, tool } = usable(id, "mcp", tool_name);
      if (!allowsName(ref.permissions, called)) {
        throw new ContractError("ToolNotAllowed", {
          tool: toolText(ref),
          command: called,
          reason: "the profile does not allow the tool",
        });
      }
      return await servers.call(tool, called, args);
    },
  };
}
