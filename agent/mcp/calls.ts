/**
 * Calls of the tools: each ends in dispatch, with the caller as its principal, and with no more rights than
 * MCP may have.
 */
import type { TSchema } from "typebox";
import { Compile, type Validator } from "typebox/compile";
import { permissionsOf } from "../../lib/access/permissions.ts";
import { mayCall } from "../../lib/access/may_call.ts";
import { roleOn } from "../../lib/access/rights.ts";
import {
  type Command,
  type CommandName,
  COMMANDS,
  ContractError,
  type Output,
} from "../../lib/contract/mod.ts";
import { ownFields } from "../../lib/contract/envelope.ts";
import { schemaRefusals } from "../../lib/contract/refusal.ts";
import { inputFields as fieldsOf } from "../../lib/contract/rest.ts";
import { describeCommand, matchCommands } from "../../lib/mcp/catalogue.ts";
import { notOffered } from "../../lib/mcp/offered.ts";
import { PLAN_MINUTES } from "../../lib/mcp/protocol.ts";
import { addressed } from "../../lib/mcp/resources.ts";
import { withoutSecrets } from "../../lib/mcp/secrets.ts";
import { type McpToolName, TOOLS } from "../../lib/mcp/tools.ts";
import { viewOf } from "../../lib/rest/list_query.ts";
import { type AccessWorld, authorise, guardGroup } from "../access/authorise.ts";
import type { Principal } from "../access.ts";
import { type Dispatch, type GuardTools, isCommand, validate } from "../dispatch.ts";
import { asContractError } from "../libvirt/failure.ts";
import { SharedTime } from "../within.ts";
import { errorAnswer, ours, partsOf, type ResultPart, theirs, type ToolAnswer } from "./answers.ts";
import type { Plans } from "./plans.ts";
import type { McpSettingsRecord } from "./settings.ts";
import { witnessOf } from "./witness.ts";
import { message } from "../../lib/i18n/message.ts";

/** Milliseconds for which a result is waited: clients wait a minute. What takes longer goes on. */
const WAIT_MS = 25_000;

/** Services for calls of MCP tools: dispatch, settings, granted groups, guards of tools, the clock, and the audit log. */
export interface McpWorld extends AccessWorld {
  readonly dispatch: Dispatch;
  readonly settings: () => McpSettingsRecord;
  readonly grantedGroups: () => ReadonlySet<string>;
  readonly guardTools: GuardTools;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Takes what was refused before it got to dispatch, for the audit log. */
  readonly refused: (principal: Principal, error: ContractError, input: unknown) => void;
}

/** One call: who makes it, in which session, on which host of the context. */
export interface McpCall {
  readonly principal: Principal;
  readonly plans: Plans;
  readonly on: string | undefined;
  /** Aborted once the session has ended: the token was revoked, MCP was stopped. */
  readonly ended: AbortSignal;
}

type Fields = Readonly<Record<string, unknown>>;

/** Arguments of the tools: each has some of them, by its schema. */
interface ToolArguments {
  readonly query?: string;
  readonly command?: string;
  readonly output?: boolean;
  readonly input?: Fields;
  readonly fields?: string;
  readonly limit?: number;
  readonly after?: string;
  readonly digest?: string;
}

/** Principal of a call by MCP: the same user by another door, with no more rights than MCP may have. */
export function cappedPrincipal(
  principal: Principal,
  { role }: Pick<McpSettingsRecord, "role">,
  client: string,
): Principal {
  const most = [{ permissions: permissionsOf(role), on: { kind: "everything" } }] as const;
  const rights = role === "administrator" ? principal.rights : [...principal.rights, most];
  return { ...principal, rights, role: roleOn(rights, "everything"), door: "mcp", client };
}

/** The row of a command that MCP carries out. @throws {ContractError} UnknownCommand, McpNotOffered */
function offeredRow(name: string): { readonly name: CommandName; readonly row: Command } {
  if (!isCommand(name)) throw new ContractError("UnknownCommand", { command: name.slice(0, 64) });
  const row: Command = COMMANDS[name], reason = notOffered(row);
  if (reason !== undefined) throw new ContractError("McpNotOffered", { command: name, reason });
  return { name, row };
}

/** Checks of what each tool takes, made when a tool is first used. */
const validators = new Map<McpToolName, Validator>();

/** The arguments of a tool, exactly those that it has. @throws {ContractError} InvalidInput, naming the field */
function argumentsOf(name: McpToolName, args: Fields): ToolArguments {
  const schema = TOOLS.find((each) => each.name === name)!.inputSchema as unknown as TSchema;
  let validator = validators.get(name);
  if (validator === undefined) validators.set(name, validator = Compile(schema));
  if (!validator.Check(args)) throw schemaRefusals(schema, validator, args)[0]!.error;
  return args;
}

export class McpCalls {
  constructor(readonly world: McpWorld) {}

  /** Carries a tool out. Never throws what the caller is at fault for: that is the result. */
  async tool(name: string, args: Fields, call: McpCall): Promise<ToolAnswer> {
    try {
      if (!Object.hasOwn(this.#tools, name)) {
        throw new ContractError("InvalidInput", {
          reason: message`there is no tool ${JSON.stringify(name.slice(0, 64))}`,
        });
      }
      const tool = name as McpToolName;
      return await this.#tools[tool](argumentsOf(tool, args), call);
    } catch (error) {
      return errorAnswer(asContractError(error, "mcp", "a call by MCP"));
    }
  }

  readonly #tools: Readonly<
    Record<McpToolName, (args: ToolArguments, call: McpCall) => Promise<ToolAnswer> | ToolAnswer>
  > = {
    search_commands: ({ query = "" }, { principal: { rights } }) => ({
      content: [ours(matchCommands(query, (name) => mayCall(rights, name)))],
    }),
    describe_command: ({ command = "", output = false }) => {
      const { name, row } = offeredRow(command);
      return { content: [ours(describeCommand(name, row, output))] };
    },
    read: async ({ command = "", input = {}, ...view }, call) => ({
      content: await this.read(command, input, call, view),
    }),
    plan: async ({ command = "", input = {} }, call) => ({ content: await this.#plan(command, input, call) }),
    act: async ({ digest = "" }, call) => ({ content: await this.#act(digest, call) }),
  };

  /** Reads what an address stands for. @throws {ContractError} NotFound, and what the command is refused with */
  async resource(uri: string, call: McpCall): Promise<ResultPart[]> {
    const found = addressed(uri);
    if (found === undefined) throw new ContractError("NotFound", { path: uri.slice(0, 256) });
    return await this.read(found.route.name, found.input, call, {});
  }

  /** @throws {ContractError} */
  async read(
    command: string,
    input: Fields,
    call: McpCall,
    { fields, limit, after }: Pick<ToolArguments, "fields" | "limit" | "after">,
  ): Promise<ResultPart[]> {
    const { name, row } = offeredRow(command);
    if (!row.readOnly) {
      throw new ContractError("McpNotOffered", {
        command: name,
        reason: "it changes something. Use plan, then act",
      });
    }
    const view = {
      ...(fields !== undefined && fields !== "" && { fields }),
      ...(limit !== undefined && { limit: String(limit) }),
      ...(after !== undefined && after !== "" && { after }),
    };
    const { ask, apply } = viewOf(row, view, input.limit);
    const wanted = ask === undefined ? input : { ...input, limit: ask };
    const done = await inTime(this.world.dispatch(name, wanted, call.principal, undefined, call.on));
    if (done === undefined) {
      throw new ContractError("LibvirtTimeout", { operation: name, seconds: WAIT_MS / 1000 });
    }
    // Without its secrets before fields are chosen: a list's schema is not that of its parts
    const { answer, next } = apply(withoutSecrets(row.output, done.value));
    // Where a page ends is told by names of what is in it, which others gave
    return [...partsOf(row, answer), ...(next === undefined ? [] : [theirs({ next })])];
  }

  /** @throws {ContractError} refusals of the call itself */
  async #plan(command: string, given: Fields, { principal, plans, on }: McpCall): Promise<ResultPart[]> {
    const { name, row } = offeredRow(command);
    if (row.readOnly) {
      throw new ContractError("McpNotOffered", { command: name, reason: "it only reads. Use read" });
    }
    const { dispatch, settings, vm, grantedGroups } = this.world;
    const isOnHost = on !== undefined && Object.hasOwn(fieldsOf(row), "host");
    const input = ownFields(COMMANDS[name], isOnHost ? { host: on, ...given } : given);
    const role = authorise(principal, name, input instanceof ContractError ? given : input, this.world);
    if (input instanceof ContractError) throw input;
    if (!row.unchecked) validate(name, input);
    guardGroup(principal, name, input, vm, grantedGroups);
    await this.world.guardTools(principal, name, input, on);
    const read = (command: string, input: unknown) => dispatch(command, input, principal, undefined, on);
    const { hash: witness, planned } = await witnessOf(name, input as Fields, read);
    const { acting } = settings();
    const facts = {
      command: name,
      summary: row.summary,
      needs: row.role,
      yourRole: role,
      destroys: row.destroys ?? null,
      isTask: row.isJob === true,
      ...(acting
        ? {
          digest: plans.add({ command: name, input: input as Fields, on, holder: principal.holder, witness }),
          holdsMinutes: PLAN_MINUTES,
        }
        : { digest: null, why: new ContractError("McpReadOnly").message }),
    };
    return [
      ours(facts),
      theirs({
        input: withoutSecrets(row.input, input),
        ...(planned !== undefined &&
          { planned: withoutSecrets(COMMANDS[row.plan as CommandName].output, planned) }),
      }),
    ];
  }

  /** @throws {ContractError} McpReadOnly, PlanNotFound, PlanOutdated, McpOff, McpSessionNotFound, and what the command is refused with */
  async #act(digest: string, { principal, plans, ended }: McpCall): Promise<ResultPart[]> {
    const { dispatch, settings } = this.world;
    const refuse = (error: ContractError, about: unknown): never => {
      this.world.refused(principal, error, about);
      throw error;
    };
    if (!settings().acting) refuse(new ContractError("McpReadOnly"), {});
    // Taken before anything is waited for: of two at once, one has it
    const plan = plans.take(digest, principal.holder) ??
      refuse(new ContractError("PlanNotFound", { minutes: PLAN_MINUTES }), {});
    const { command, input, on, witness } = plan;
    const callAs = (who: Principal) => (command: string, input: unknown) =>
      dispatch(command, input, who, undefined, on);
    const now = await witnessOf(command, input, callAs(principal));
    if (now.hash !== witness) refuse(new ContractError("PlanOutdated", { command }), { command });
    // Stopped, revoked, switched off or given another role meanwhile
    const settingsNow = settings();
    if (!settingsNow.enabled) refuse(new ContractError("McpOff"), { command });
    if (ended.aborted) refuse(new ContractError("McpSessionNotFound"), { command });
    if (!settingsNow.acting) refuse(new ContractError("McpReadOnly"), { command });
    const call = callAs(cappedPrincipal(principal, settingsNow, principal.client));
    const since = this.world.now(), row: Command = COMMANDS[command];
    const done = await inTime(call(command, input));
    if (done !== undefined) return [ours({ done: command }), ...partsOf(row, done.value)];
    const jobs = await call("list_jobs" satisfies CommandName, { limit: 50 }) as Output<"list_jobs">;
    const job = jobs.find((each) =>
      each.command === command && each.actor === principal.name && each.startedAt >= since
    );
    return [
      ours({
        goesOn: command,
        ...(job !== undefined && { jobId: job.id }),
        note: "It was begun and goes on. Read list_jobs or get_job to see how it ends. Do not plan it again.",
      }),
    ];
  }
}

/** Result of work in time; undefined if it takes longer: the work goes on. @throws errors of the work in time */
const inTime = <T>(work: Promise<T>): Promise<{ readonly value: T } | undefined> =>
  new SharedTime(WAIT_MS).of("", work.then((value) => ({ value })));
