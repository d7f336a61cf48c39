/**
 * Limits by the tools of profiles, for dispatch: every call is checked here, whichever listener it comes by. They limit
 * automation accounts (`agent`), calls by MCP on a project's VMs (`mcp`, named kvm-manager), and the steps of a skill
 * that runs (`Principal.limits`). They give no right: a call has passed the check of rights before.
 */
import type { Allowance, Rights } from "../../lib/access/rights.ts";
import { needOf, PERMISSIONS } from "../../lib/access/permissions.ts";
import {
  type Command,
  type CommandName,
  COMMANDS,
  ContractError,
  OWN_SERVER,
} from "../../lib/contract/mod.ts";
import type { ToolPermissions, ToolRef } from "../../lib/contract/mod.ts";
import { type Named, namedIn, withPaths } from "../../lib/profiles/about.ts";
import { allowsCommand, limitsDirectories, namesIt } from "../../lib/profiles/allowed.ts";
import { effectiveTools, toolText } from "../../lib/profiles/tools.ts";
import type { ToldLimit, ToldPlace } from "../../lib/profiles/told_limits.ts";
import { includes, type Principal, type ToolLimit } from "../access.ts";
import { allWithin } from "./directories.ts";
import type { McpSettingsRecord } from "../mcp/settings.ts";
import type { ProfileRecords } from "./records.ts";

/** Records and lookups of VMs, projects and storage. */
export interface GuardWorld {
  readonly records: ProfileRecords;
  /** Id of the project that a VM is in. */
  readonly projectOf: (vmId: string) => string | undefined;
  /** Id of a project by its id or name; undefined for none. */
  readonly projectId: (project: string) => string | undefined;
  /** The path with every link followed. */
  readonly resolved: (path: string) => Promise<string>;
  /** Directory of a pool; undefined where it has none, or there is none. */
  readonly directoryOf: (pool: string) => string | undefined;
  /** Path of a volume that is a file in the directory of its pool; undefined for any other. @param volume `pool/volume` */
  readonly fileOf: (volume: string) => string | undefined;
  /** Id of the VM that an entry of the bin was; undefined where it was none. */
  readonly vmInBin: (entryId: string) => string | undefined;
  /** Whether a call is carried out on another host than this one. @param on the host of the page that it comes from */
  readonly isElsewhere: (command: CommandName, input: unknown, on: string | undefined) => boolean;
  /** Limits of this KVM Manager for programs that speak MCP. */
  readonly mcp: () => Pick<McpSettingsRecord, "enabled" | "acting" | "role">;
}

/** Commands on the caller's own session: they concern no VM. */
const ALWAYS: ReadonlySet<CommandName> = new Set<CommandName>(["get_session", "sign_out"]);
/** Subjects of permissions that a bound holds to its projects. */
const OF_VMS: ReadonlySet<string> = new Set(["vm", "vms", "project", "list"]);
/** Subjects of commands that change only the VMs and projects that their input names. */
const OF_NAMED: ReadonlySet<string> = new Set(["vm", "vms", "project"]);

/** Permissions that an automation account can have: those on VMs within its projects, others wherever its grants say. */
const SPLIT = (() => {
  const vms = new Set<string>(), others = new Set<string>();
  for (const { name, commands, grantable } of PERMISSIONS.values()) {
    if (!grantable) continue;
    const isOfVms = commands.some((command) =>
      needOf(command).permission === name && OF_VMS.has(needOf(command).object)
    );
    (isOfVms ? vms : others).add(name);
  }
  return { vms, others };
})();

/** The layer of rights that holds somebody to projects. It has nothing that only administrators may. */
export const boundTo = (projectIds: readonly string[]): Rights[number] => [
  { permissions: SPLIT.others, on: { kind: "everything" } },
  ...projectIds.map((project): Allowance => ({ permissions: SPLIT.vms, on: { kind: "project", project } })),
];

/** The tool that stands for the commands by MCP, for people. */
const OWN_TEXT = `mcp ${OWN_SERVER}`;
/** Why calls are refused, as ends of sentences. */
const NO_OWN_SERVER = `the project has tools, and ${OWN_TEXT} is none of them`;
const NO_AGENT = "no profile of a project that this is about has the agent";
const NOT_NAMED = "it changes something outside of the project's VMs, and allowed_tools does not name it";
const BEYOND_PROJECT = "it reaches beyond the project";

const agentText = (names: readonly string[]): string => `agent ${names.join(", ")}`;

const ownServerIn = (tools: readonly ToolRef[]): ToolRef | undefined =>
  tools.find(({ tool_type, name }) => tool_type === "mcp" && name === OWN_SERVER);

/** A call: its command, and the VMs and projects that it is about. */
interface Call {
  readonly command: CommandName;
  readonly row: Command;
  readonly named: Named;
  /** Ids of its VMs, also of those that are in the bin. */
  readonly vmIds: ReadonlySet<string>;
  /** Ids of the projects that it is about; null for a VM that is in none. */
  readonly projects: ReadonlySet<string | null>;
  /** Whether it is a command of VMs or projects, rather than one of something else whose input names some. */
  readonly isAboutVms: boolean;
  /** Whether it reaches another host, whose paths and pools are not known here. */
  readonly isElsewhere: boolean;
  /** By path of the input: where it leads, once that was judged. */
  readonly real: Map<string, string>;
}

export class ToolGuard {
  /** Ids of users that are automation accounts → the names of the agents. */
  #agents: ReadonlyMap<string, readonly string[]> = new Map();
  /** … → what bounds them. */
  #bounds: ReadonlyMap<string, Rights[number]> = new Map();
  /** … → the projects that they are held to, and what they may use there. */
  #held = new Map<string, string>();

  constructor(private readonly world: GuardWorld) {}

  /** Reads again which accounts are automation accounts, and where. @returns those that may do something else than before */
  refresh(): string[] {
    const { records } = this.world, agents = new Map<string, string[]>(), before = this.#held;
    for (const { tool_type, name, account } of records.tools.all()) {
      if (tool_type !== "agent" || account === undefined) continue;
      agents.set(account, [...agents.get(account) ?? [], name]);
    }
    const projects = records.projects.all().map(({ id }) => id);
    const placesOf = (names: readonly string[]) =>
      projects.filter((id) => this.#agentsAt(id, names).length > 0);
    const places = new Map([...agents].map(([userId, names]) => [userId, placesOf(names)] as const));
    this.#agents = agents;
    this.#bounds = new Map([...places].map(([userId, ids]) => [userId, boundTo(ids)]));
    const heldTo = (userId: string, ids: readonly string[]) =>
      JSON.stringify(ids.map((id) => [id, this.#agentsAt(id, agents.get(userId) ?? [])]));
    this.#held = new Map([...places].map(([userId, ids]) => [userId, heldTo(userId, ids)]));
    return [...new Set([...before.keys(), ...this.#held.keys()])].filter((id) =>
      before.get(id) !== this.#held.get(id)
    );
  }

  /** Bounds of an account; undefined for one that is no automation account. */
  boundOf(userId: string): Rights[number] | undefined {
    return this.#bounds.get(userId);
  }

  /** Tools of a project that are one of these agents. */
  #agentsAt(projectId: string, names: readonly string[]): readonly ToolRef[] {
    return this.toolsOf(projectId).filter(({ tool_type, name }) =>
      tool_type === "agent" && names.includes(name)
    );
  }

  /** Tools in force at a project. */
  toolsOf(projectId: string): readonly ToolRef[] {
    const { profile, local } = this.world.records.toolsOf(projectId);
    return effectiveTools(this.world.records.refsOf(profile), local);
  }

  /**
   * Refuses what the tools do not allow.
   *
   * @returns the input, where directories are limited with the paths that were judged: a link of it may lead elsewhere later
   * @throws {ContractError} ToolNotAllowed
   */
  async check(principal: Principal, command: CommandName, input: unknown, on?: string): Promise<unknown> {
    const { door, via, limits = [], toldLimits = [] } = principal;
    const isByMcp = door === "mcp" || principal.leftByMcp === true, names = this.#agentsOf(principal);
    if (names === undefined && !isByMcp && limits.length === 0 && toldLimits.length === 0) return input;
    if (ALWAYS.has(command) || needOf(command).permission === "anyone") return input;
    const call = this.#callOf(command, input, on);
    for (const limit of limits) await this.#withinLimit(limit, call);
    for (const limit of toldLimits) await this.#withinTold(limit, call);
    if (door === "mcp" && via === "link") this.#byMcpFromAfar(call);
    if (names !== undefined) await this.#asAgent(names, call);
    if (isByMcp) await this.#byMcp(call);
    return call.real.size === 0 ? input : withPaths(command, input, call.real);
  }

  /** The agents that an account is; undefined for one that is none. */
  #agentsOf({ userId }: Principal): readonly string[] | undefined {
    return userId === undefined ? undefined : this.#agents.get(userId);
  }

  /**
   * The limits that hold for somebody, as a linked KVM Manager can check them: it carries out the call, and later what the call
   * has left there.
   *
   * @param vmIds of its VMs
   */
  toldLimits(principal: Principal, vmIds: () => readonly string[]): ToldLimit[] {
    const { door, leftByMcp, limits = [] } = principal, names = this.#agentsOf(principal);
    const isByMcp = door === "mcp" || leftByMcp === true;
    if (names === undefined && !isByMcp && limits.length === 0) return [];
    const there = Map.groupBy(vmIds(), (vmId) => this.world.projectOf(vmId));
    const vmsOf = (projectId: string) => there.get(projectId) ?? [];
    const projects = this.world.records.projects.all().map(({ id }) => id);
    const told = limits.map(({ project, tool, permissions }): ToldLimit => ({
      tool,
      beyond: "reads",
      places: [{ vmIds: vmsOf(project), tools: [permissions] }],
    }));
    if (names !== undefined) {
      const places = projects.flatMap((id): ToldPlace[] => {
        const tools = this.#agentsAt(id, names).map(({ permissions }) => permissions);
        return tools.length === 0 ? [] : [{ vmIds: vmsOf(id), tools }];
      });
      told.push({ tool: agentText(names), beyond: "named", places });
    }
    if (isByMcp) {
      const places = projects.flatMap((id): ToldPlace[] => {
        const tools = this.toolsOf(id), own = ownServerIn(tools);
        if (tools.length === 0 || vmsOf(id).length === 0) return [];
        return [{ vmIds: vmsOf(id), tools: [own?.permissions ?? null], ...(!own && { readOnly: true }) }];
      });
      if (places.length > 0) told.push({ tool: OWN_TEXT, beyond: "anything", places });
    }
    return told;
  }

  #callOf(command: CommandName, input: unknown, on: string | undefined): Call {
    const { projectOf, projectId, vmInBin } = this.world, named = namedIn(command, input);
    const { toHost, entryId } = input as { readonly toHost?: unknown; readonly entryId?: unknown };
    const inBin = typeof entryId === "string" ? vmInBin(entryId) : undefined;
    const vmIds = inBin === undefined ? named.vmIds : new Set([...named.vmIds, inBin]);
    const projects = new Set<string | null>([...vmIds].map((vmId) => projectOf(vmId) ?? null));
    for (const project of named.projects) projects.add(projectId(project) ?? null);
    return {
      command,
      row: COMMANDS[command],
      named,
      vmIds,
      projects,
      isAboutVms: OF_NAMED.has(needOf(command).object),
      isElsewhere: typeof toHost === "string" || this.world.isElsewhere(command, input, on),
      real: new Map(),
    };
  }

  async #withinLimit({ project, tool, permissions }: ToolLimit, call: Call): Promise<void> {
    const isElsewhere = [...call.projects].some((each) => each !== project);
    // What is left behind to be done later would be done without the skill's limits
    const isBeyond = isElsewhere || (!call.row.readOnly && !call.isAboutVms);
    const reason = isBeyond ? BEYOND_PROJECT : await this.#refusalOf(permissions, call);
    if (reason !== undefined) refuse(tool, call.command, reason);
  }

  /** Holds a call to the limits of another KVM Manager's tools: directories that they allow are on its machine. */
  async #withinTold({ tool, places, beyond }: ToldLimit, given: Call): Promise<void> {
    const call = { ...given, isElsewhere: true }, { command, row, vmIds, named } = call;
    const found = [...vmIds].map((vmId) => places.filter((place) => place.vmIds.includes(vmId)));
    if (beyond !== "anything") {
      const isBeyond = named.projects.size > 0 || found.some((each) => each.length === 0);
      if (isBeyond) refuse(tool, command, "no project that it is allowed has what this is about");
      if (vmIds.size === 0) found.push(places);
    }
    const reasonOf = async (permissions: ToolPermissions | null, isReadOnly: boolean) => {
      if (isReadOnly && !row.readOnly) return NO_OWN_SERVER;
      const isMore = !call.isAboutVms && !row.readOnly;
      if (isMore && beyond === "reads") return BEYOND_PROJECT;
      if (isMore && beyond === "named" && !namesIt(permissions, command)) return NOT_NAMED;
      return await this.#refusalOf(permissions, call);
    };
    for (const each of found) {
      if (each.length === 0 && beyond === "anything") continue;
      const reasons = await Promise.all(
        each.flatMap(({ tools, readOnly = false }) =>
          tools.map((permissions) => reasonOf(permissions, readOnly))
        ),
      );
      if (!reasons.includes(undefined)) refuse(tool, command, reasons[0] ?? NO_AGENT);
    }
  }

  /** A program speaks MCP with a linked KVM Manager: what programs may do here holds as if it spoke with this one. */
  #byMcpFromAfar({ command, row }: Call): void {
    if (row.readOnly) return;
    const { enabled, acting, role } = this.world.mcp();
    if (enabled && acting && includes(role, row.role)) return;
    const reason = !enabled || !acting
      ? "its host lets no program change anything by MCP: its own KVM Manager has the switch, under Settings, MCP"
      : `its host lets programs have the role ${role} by MCP, and this needs ${row.role}`;
    refuse(OWN_TEXT, command, reason);
  }

  async #asAgent(names: readonly string[], call: Call): Promise<void> {
    const tool = agentText(names);
    const refsOf = (projectId: string | null) => projectId === null ? [] : this.#agentsAt(projectId, names);
    const wanted: readonly (readonly ToolRef[])[] = call.projects.size === 0
      ? [this.world.records.projects.all().flatMap(({ id }) => refsOf(id))]
      : [...call.projects].map(refsOf);
    for (const refs of wanted) {
      const reasons = await Promise.all(
        refs.map(async ({ permissions }) =>
          !call.isAboutVms && !call.row.readOnly && !namesIt(permissions, call.command)
            ? NOT_NAMED
            : await this.#refusalOf(permissions, call)
        ),
      );
      if (!reasons.includes(undefined)) {
        refuse(tool, call.command, reasons[0] ?? NO_AGENT);
      }
    }
  }

  async #byMcp(call: Call): Promise<void> {
    for (const project of call.projects) {
      const tools = project === null ? [] : this.toolsOf(project);
      if (tools.length === 0) continue;
      const own = ownServerIn(tools);
      const reason = own !== undefined
        ? await this.#refusalOf(own.permissions, call)
        : call.row.readOnly
        ? undefined
        : NO_OWN_SERVER;
      if (reason !== undefined) refuse(OWN_TEXT, call.command, reason);
    }
  }

  /** Why permissions do not allow a call; undefined where they do. */
  async #refusalOf(
    permissions: ToolPermissions | null,
    { command, named, isElsewhere, real }: Call,
  ): Promise<string | undefined> {
    if (!allowsCommand(permissions, command)) return "the profile does not allow the command";
    if (!limitsDirectories(permissions)) return undefined;
    if (named.hasXml) return "allowed_directories is set, and a definition can name any file";
    if (named.leavesPlaceOpen) return "allowed_directories is set: name the pool that disks are put into";
    if (isElsewhere && named.paths.size + named.pools.size > 0) {
      return "allowed_directories is set, and where paths and pools of another host are is not known";
    }
    const pools = [...named.pools].map((pool) => this.world.directoryOf(pool));
    if (pools.includes(undefined)) return "the directory of the pool is not known";
    // A link in a pool is a volume, too
    const volumes = [...named.volumes].flatMap((volume) => this.world.fileOf(volume) ?? []);
    for (const path of named.paths) if (!real.has(path)) real.set(path, await this.world.resolved(path));
    const paths = [...real.values(), ...pools as string[], ...volumes];
    return await allWithin(permissions, paths, this.world.resolved)
      ? undefined
      : "a path, a pool or a volume that it names is outside of allowed_directories";
  }
}

function refuse(tool: string, command: string, reason: string): never {
  throw new ContractError("ToolNotAllowed", { tool, command, reason });
}

/** A skill's limit, and who runs it: never more than they may themselves, and nothing beyond the project. */
export function limitedTo(principal: Principal, projectId: string, ref: ToolRef): Principal {
  const limit: ToolLimit = { project: projectId, tool: toolText(ref), permissions: ref.permissions };
  return {
    ...principal,
    rights: [...principal.rights, boundTo([projectId])],
    limits: [...principal.limits ?? [], limit],
  };
}
