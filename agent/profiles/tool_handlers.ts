/** The commands on the definitions of tools. */
import {
  ContractError,
  type Input,
  MOST_TOOLS,
  OWN_SERVER,
  type Tool,
  type toolCommands,
  type ToolType,
} from "../../lib/contract/mod.ts";
import type { UserRecord } from "../access/records.ts";
import type { Dispatch, Handlers } from "../dispatch.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { checkedUrl } from "../outbound/fetch.ts";
import { outboundRefusal } from "../outbound/errors.ts";
import type { ToolGuard } from "./guard.ts";
import type { ProjectOf } from "./handlers.ts";
import { allowedProgram, ProgramRefused } from "./programs.ts";
import { orDatabaseError, type ProfileRecords, type StoredTool, toolId } from "./records.ts";
import type { OutsideServers } from "./servers.ts";
import { checkSkill } from "./skills.ts";

/** Services for the commands on tools: records, guard, outside servers, look-up of projects and users, dispatch, jobs. */
export interface ToolServices {
  readonly records: ProfileRecords;
  readonly guard: ToolGuard;
  readonly servers: OutsideServers;
  /** @throws {ContractError} ProjectNotFound, StoreUnavailable */
  readonly requireProject: (project: string) => ProjectOf;
  readonly project: (projectId: string) => ProjectOf | undefined;
  readonly user: (idOrName: string) => UserRecord | undefined;
  /** Whether a user may do everything, which no automation account may. */
  readonly isAdministrator: (user: UserRecord) => boolean;
  readonly dispatch: Dispatch;
  readonly jobs: Pick<Jobs, "run">;
  /** Directory of programs; `off` for none. */
  readonly programs: string;
}

/** Fields of each kind of tool, apart from name and description: others are refused. */
const FIELDS: Readonly<Record<ToolType, readonly (keyof Input<"set_tool">)[]>> = {
  skill: ["parameters", "steps"],
  agent: ["account"],
  hook: ["event", "state", "url", "secret", "private_addresses", "program", "arguments"],
  mcp: ["url", "secret", "private_addresses"],
};
const ALL_FIELDS = [...new Set(Object.values(FIELDS).flat())];

const refuse = (reason: string, field: string): never => {
  throw new ContractError("InvalidInput", { reason, field });
};

/** Refuses what a kind of tool does not have. @throws {ContractError} InvalidInput */
function requireFields(input: Input<"set_tool">): void {
  const own = FIELDS[input.tool_type],
    wrong = ALL_FIELDS.find((field) => input[field] !== undefined && !own.includes(field));
  if (wrong !== undefined) {
    refuse(`a tool of the kind ${input.tool_type} has no ${wrong}: leave it out`, wrong);
  }
  if (input.tool_type === "mcp" && input.name === OWN_SERVER) {
    refuse(`${OWN_SERVER} is KVM Manager itself, and needs no definition: choose another name`, "name");
  }
}

/** @throws {ContractError} InvalidInput */
function requireUrl(url: string): void {
  try {
    checkedUrl(url);
  } catch (error) {
    const reason = outboundRefusal(error);
    if (reason === undefined) throw error;
    refuse(`url: ${reason}`, "url");
  }
}

/** A handler for each of them. */
export function toolHandlers(
  { records, project, user, isAdministrator, programs }: ToolServices,
): Pick<Handlers, keyof typeof toolCommands> {
  const { tools } = records;
  const shown = (tool: StoredTool): Tool => {
    const { name, tool_type, description, enabled, account, url, program } = tool;
    return {
      name,
      tool_type,
      description,
      enabled,
      parameters: [...tool.parameters],
      steps: structuredClone([...tool.steps]),
      account: account === undefined ? null : user(account)?.name ?? null,
      event: tool.event ?? null,
      state: tool.state ?? null,
      // Of a webhook the path is often the secret
      address: url === undefined ? null : new URL(url).origin,
      has_secret: tool.secret !== undefined || tool.unread?.secret !== undefined,
      private_addresses: tool.privateAddresses,
      program: program ?? null,
      arguments: [...tool.arguments],
      projects:
        records.projects.all().filter(({ id }) => project(id) !== undefined && records.has(id, tool)).length,
    };
  };
  /** The account of an agent. @throws {ContractError} UserNotFound, InvalidInput */
  const accountOf = (named: string | undefined, callerId: string | undefined): string => {
    if (named === undefined) return refuse("an agent needs an account: give account", "account");
    const found = user(named);
    if (found === undefined) throw new ContractError("UserNotFound", { userId: named });
    if (found.id === callerId) {
      refuse("that is your own account, which it would limit: choose another", "account");
    }
    if (isAdministrator(found)) {
      refuse("the user is an administrator: give the user another role first", "account");
    }
    return found.id;
  };
  const checkHook = async ({ event, url, program, state }: Partial<StoredTool>): Promise<void> => {
    if (event === undefined) refuse("a hook waits for an event: give event", "event");
    if (state !== undefined && event !== "vm-state-changed") {
      refuse("only vm-state-changed has states: leave state out", "state");
    }
    if ((url === undefined) === (program === undefined)) {
      refuse("a hook has a url or a program: give one of them", "url");
    }
    if (program === undefined) return;
    try {
      await allowedProgram(program, programs);
    } catch (error) {
      if (!(error instanceof ProgramRefused)) throw error;
      refuse(`program: ${error.message}`, "program");
    }
  };
  return {
    list_tools: () =>
      orDatabaseError(() => tools.require()).all().map(shown).toSorted((a, b) =>
        a.tool_type.localeCompare(b.tool_type, "en") || a.name.localeCompare(b.name, "en")
      ),
    set_tool: async (input, { principal }) => {
      requireFields(input);
      const { tool_type, description = "", parameters = [], steps = [], event, state, program } = input;
      const name = input.name.normalize("NFC"), id = toolId(tool_type, name);
      const before = orDatabaseError(() => tools.require()).get(id);
      if (before === undefined && tools.all().length >= MOST_TOOLS) {
        throw new ContractError("TooManyTools", { limit: MOST_TOOLS });
      }
      const isSent = tool_type === "mcp" || (tool_type === "hook" && program === undefined);
      const url = isSent ? input.url ?? before?.url : undefined;
      // A secret goes to the address that it was given for, and to no other
      const keepsSecret = input.url === undefined || input.url === before?.url;
      const secret = isSent ? input.secret ?? (keepsSecret ? before?.secret : undefined) : undefined;
      const tool: StoredTool = {
        id,
        name,
        tool_type,
        description,
        parameters,
        steps,
        enabled: input.enabled ?? (tool_type === "skill" || tool_type === "agent"),
        ...(event !== undefined && { event }),
        ...(state !== undefined && { state }),
        ...(program !== undefined && { program }),
        ...(url !== undefined && { url }),
        ...(secret !== undefined && { secret }),
        ...(isSent && keepsSecret && before?.unread !== undefined && { unread: before.unread }),
        privateAddresses: input.private_addresses ?? false,
        arguments: input.arguments ?? [],
        ...(tool_type === "agent" && { account: accountOf(input.account, principal.userId) }),
      };
      if (input.url !== undefined) requireUrl(input.url);
      if (tool_type === "skill") checkSkill(steps, parameters);
      const isUnread = tool.unread?.url !== undefined;
      if (tool_type === "mcp" && url === undefined && !isUnread) {
        refuse("a server has an address: give url", "url");
      }
      if (tool_type === "hook" && !isUnread) {
        await checkHook({ ...tool, ...(input.url !== undefined && { url: input.url }) });
      }
      records.change(() => [tools.putting(tool)]);
      return shown(tools.get(id)!);
    },
    delete_tool: ({ tool_type, name }) => {
      const found = orDatabaseError(() => tools.require()) && records.tool(tool_type, name);
      if (found === undefined) throw new ContractError("ToolNotFound", { tool_type, tool_name: name });
      records.change(() => [tools.removing(found.id)]);
      return null;
    },
  };
}
