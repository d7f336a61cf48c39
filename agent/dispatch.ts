/**
 * The one way in: authorise → validate → run → audit → map the error. Every door ends here: pages, REST, the socket,
 * the command line.
 */
import { Compile, type Validator } from "typebox/compile";
import {
  type Command,
  type CommandName,
  COMMANDS,
  ContractError,
  type Input,
  type Output,
} from "../lib/contract/mod.ts";
import { hostField } from "../lib/contract/on_host.ts";
import { ownFields } from "../lib/contract/envelope.ts";
import { inputFields } from "../lib/contract/rest.ts";
import { schemaRefusals } from "../lib/contract/refusal.ts";
import { redactError } from "../lib/access/redact.ts";
import { rendered, type Unrendered } from "../lib/i18n/message.ts";
import { tellsSentences } from "../lib/contract/sentences.ts";
import { filterOutput, longestOf, sightOf } from "../lib/access/filter_output.ts";
import type { Viewer } from "../lib/access/viewer.ts";
import type { VM } from "../lib/contract/mod.ts";
import { joinsSame } from "../lib/contract/command.ts";
import { InFlight } from "../lib/in_flight.ts";
import { asAsked } from "./access/asking.ts";
import { attributedAnswer, attributedError, idsInError, type KnownName } from "./access/attribution.ts";
import {
  type AccessWorld,
  authorise,
  guardGroup,
  narrowBatch,
  viewerOf,
  whereIn,
  withoutHiddenHosts,
} from "./access/authorise.ts";
import type { Principal } from "./access.ts";
import { asContractError } from "./libvirt/failure.ts";
import { isHoldable } from "../lib/formats/xml/tree.ts";
import { isCanonical } from "../lib/text/byte_text.ts";
import { log } from "./log.ts";
import type { ActivityEntry } from "./store/activity.ts";
import type { Refusal } from "./store/rejected_call_log.ts";

/** A request body that arrives piece by piece, as fast as it is asked for. */
export interface RequestBody {
  /** The next piece; null at the end, and when it breaks off. One is asked for at a time. */
  next(): Promise<Uint8Array | null>;
  /** Has the piece that is waited for fail; more can be asked for afterwards. */
  interrupt(reason: unknown): void;
}

/** The whole of some content, before any of it is read. */
export interface Whole {
  /** Bytes. */
  readonly size: number;
  /** Changes with the content; undefined where that cannot be told. */
  readonly version: string | undefined;
}

/** Bytes of some content. */
export interface ContentPart {
  readonly offset: number;
  readonly length: number;
}

/** Content that travels along with a command's fields, streamed. */
export interface Content {
  readonly body?: RequestBody | undefined;
  /** Says which part of what a command gives is wanted; null: none of it. @throws {ContractError} */
  readonly choose?: (whole: Whole) => ContentPart | null;
  /** Takes what the command gives as content. */
  readonly answer?: (content: ReadableStream<Uint8Array>) => void;
  /** Is told what comes while a command works, where it tells. */
  readonly tell?: (line: Readonly<Record<string, unknown>>) => void;
  /** Aborted when the caller no longer waits for the answer. */
  readonly gone?: AbortSignal;
}

/** Call context: data of the call in addition to its input. */
export interface CallContext {
  readonly principal: Principal;
  readonly content?: Content;
  /** Has the audit log keep, in addition to the input, what the call is about in the end. */
  readonly note?: (what: Readonly<Record<string, unknown>>) => void;
}

/** Carries a command out. */
export type Handler<N extends CommandName> = (
  input: Input<N>,
  context: CallContext,
) => Promise<Unrendered<Output<N>>> | Unrendered<Output<N>>;
/** A handler for every command of the contract: a missing one does not compile. */
export type Handlers = { readonly [N in CommandName]: Handler<N> };

/** The handler of a call, and its host. */
export interface Route {
  readonly handler: (input: never, context: CallContext) => unknown;
  /** Id of the host; missing for what is on none. */
  readonly host?: string;
}

export interface DispatchOptions extends AccessWorld {
  /**
   * Finds the handler of a call: the application's, or that of the host it is about.
   *
   * @param on the host of the page that it comes from
   * @throws {ContractError} HostNotFound
   */
  readonly route: (command: CommandName, input: unknown, principal: Principal, on?: string) => Route;
  /** Takes what the audit needs of a call; of one that failed, also how. */
  readonly record: (entry: ActivityEntry, refusal?: Refusal) => void;
  /** Waits, a bounded time, until the hosts that a call is about were read, or are known not to answer. */
  readonly settled: (command: CommandName, input: unknown) => Promise<void>;
  /** Every VM, or every one of a host, for who may see only some of them. */
  readonly vms: (host?: string) => readonly VM[];
  /** Names that VMs had. */
  readonly formerNames: () => Iterable<KnownName>;
  /** Since when an id is that of the VM which has it now, in milliseconds since 1970. */
  readonly idSince?: NonNullable<Viewer["idSince"]>;
  /** The error of a call that another call may have overtaken (`libvirt/stale_target_error.ts`). */
  readonly staleTarget?: (
    command: CommandName,
    input: unknown,
    error: ContractError,
  ) => Promise<ContractError>;
  /** Asks for a fresh proof of who calls. @throws {ContractError} PasswordNeeded */
  readonly requireConfirmed: (principal: Principal) => Promise<void>;
  /** Groups that grants name. */
  readonly grantedGroups: () => ReadonlySet<string>;
  /** Refuses what the tools of profiles do not allow (`agent/profiles/guard.ts`). */
  readonly guardTools?: GuardTools;
}

/**
 * Refuses what the tools of profiles do not allow a call.
 *
 * @param on the host of the page, or of the query, that the call comes from
 * @returns the input as it is to be carried out
 * @throws {ContractError} ToolNotAllowed
 */
export type GuardTools = (
  principal: Principal,
  command: CommandName,
  input: unknown,
  on?: string,
) => unknown;

/**
 * Carries out a command by its wire name.
 *
 * @param on the host of the page, or of the query, that the call comes from: it is meant where none is named, and a linked one
 * carries out commands that name none
 */
export type Dispatch = (
  command: string,
  input: unknown,
  principal: Principal,
  content?: Content,
  on?: string,
) => Promise<unknown>;

/** Validators are made when first needed: a start of the program pays for none. */
const validators = new Map<CommandName, Validator>();

/** Names of the contract alone, not what every object has (`constructor`). */
export function isCommand(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

/** @throws {ContractError} InvalidInput, naming the field, or the error the schema has for that bound */
export function validate<N extends CommandName>(name: N, input: unknown): Input<N> {
  let validator = validators.get(name);
  if (!validator) validators.set(name, validator = Compile(COMMANDS[name].input));
  if (!validator.Check(input)) {
    throw schemaRefusals(COMMANDS[name].input, validator, input)[0]!.error;
  }
  requireHoldable(input, []);
  return input as Input<N>;
}

/** An input whose fields the handler judges. @throws {ContractError} InvalidInput for what has none */
function fieldsOf(input: unknown): object {
  if (typeof input === "object" && input !== null && !Array.isArray(input)) {
    requireHoldable(input, []);
    return input;
  }
  throw new ContractError("InvalidInput", { reason: "the input must be an object" });
}

/** The field of an XML document: its own reader refuses the same characters, and tells their line. */
const DOCUMENT = "xml";

/**
 * Refuses characters that XML, and so libvirt, cannot hold: half of a surrogate pair, U+FFFE, U+FFFF, control characters.
 * They would be dropped or replaced on the way, and something else be done than was asked. Likewise a second spelling
 * of a name: locks, rights and records know the first.
 *
 * @throws {ContractError} InvalidInput, naming the field
 */
function requireHoldable(value: unknown, path: readonly string[]): void {
  if (typeof value === "string") {
    const field = path.join(".");
    const wrong = !isHoldable(value)
      ? "has a character that no text can hold: half of a pair of surrogates, U+FFFE, U+FFFF or a control " +
        "character. Remove it"
      : !isCanonical(value)
      ? "spells bytes that are a character. Write the character itself"
      : undefined;
    if (wrong === undefined) return;
    const reason = `${field} ${wrong}`;
    throw new ContractError("InvalidInput", { reason, field });
  }
  if (typeof value !== "object" || value === null) return;
  for (const [key, each] of Object.entries(value)) {
    if (path.length === 0 && key === DOCUMENT) continue;
    requireHoldable(key, [...path, "(a key)"]);
    requireHoldable(each, [...path, key]);
  }
}

/** The input of a call from a page of one host; a command that no host is named in takes it as it is. */
function onPageOf(host: string | undefined, command: CommandName, input: unknown): unknown {
  const isOfOne = host !== undefined && host !== "" && Object.hasOwn(inputFields(COMMANDS[command]), "host");
  if (!isOfOne) return input;
  return { host, ...(input ?? {}) };
}

/** The VM a command is about, where it is about one. */
function subject(input: unknown): string | undefined {
  const vmId = (input as { vmId?: unknown } | null)?.vmId;
  return typeof vmId === "string" ? vmId : undefined;
}

/** The name that a VM was to have, where the input says one. */
function nameWished(input: unknown): { readonly vmName: string } | undefined {
  const name = (input as { name?: unknown } | null)?.name;
  return typeof name === "string" ? { vmName: name } : undefined;
}

/** The input for a host that was found. */
function withoutHost(input: unknown): unknown {
  const { host: _found, ...rest } = input as { host?: unknown };
  return rest;
}

/**
 * Key of a principal and their rights: calls of other principals, or with other rights, are refused,
 * cancelled and recorded separately.
 */
function callerKey({ userId, uid, name, via, rights }: Principal): unknown {
  const layers = rights.map((layer) =>
    layer === "all" ? layer : layer.map(({ permissions, on }) => [[...permissions].sort(), on])
  );
  return [userId ?? null, uid ?? null, name, via, layers];
}

/** Builds the dispatcher. */
export function createDispatch(
  options: DispatchOptions,
): Dispatch {
  const { route, record, vm, vms, formerNames, idSince, grantedGroups, settled } = options;
  const { staleTarget, requireConfirmed, guardTools } = options;
  const joined = new InFlight<unknown>();
  const names = { current: () => vms(), former: formerNames };
  const routed = (...call: Parameters<typeof route>): Route => {
    try {
      return route(...call);
    } catch (error) {
      throw withoutHiddenHosts(error, viewerOf(call[2], options));
    }
  };
  return async (command, given, principal, content, on) => {
    if (!isCommand(command)) throw new ContractError("UnknownCommand", { command: command.slice(0, 64) });
    const sent = onPageOf(on, command, given);
    const { readOnly, audited, withoutLibvirt, makesVm, unchecked, confirms }: Command = COMMANDS[command];
    const opened = ownFields(COMMANDS[command], sent);
    const input = opened instanceof ContractError ? sent : opened;
    if (!withoutLibvirt) await settled(command, input);
    const started = performance.now();
    let error: ContractError | undefined;
    let isValid = false;
    // Also what is refused on a host is told to who sees that host
    const named = whereIn(command, input).host,
      namedId = named === undefined ? undefined : options.hostOf({ host: named });
    let where: { readonly host?: string } = namedId === undefined ? {} : hostField(namedId);
    let isRouted = false;
    let actor = principal.name;
    let noted: Readonly<Record<string, unknown>> | undefined;
    // Before the run: afterwards a deleted VM has no name any more.
    const vmId = subject(input);
    const name = vmId === undefined ? undefined : vm(vmId)?.name;
    let about: { readonly vmId?: string; readonly vmName: string } | undefined =
      vmId === undefined || name === undefined ? undefined : { vmId, vmName: name };
    const viewer: Viewer = { ...viewerOf(principal, options), ...(idSince !== undefined && { idSince }) };
    try {
      const role = authorise(principal, command, input, options);
      if (opened instanceof ContractError) throw opened;
      const valid = unchecked ? fieldsOf(input ?? {}) : validate(command, input ?? {});
      isValid = true;
      guardGroup(principal, command, valid, vm, grantedGroups);
      const allowed = guardTools === undefined ? valid : await guardTools(principal, command, valid, on);
      if (confirms) await requireConfirmed(principal);
      const { handler, host } = routed(command, allowed, principal, on);
      isRouted = true;
      where = host === undefined ? {} : hostField(host);
      const run = async (wanted: unknown) => {
        const carryOut = async () =>
          await asAsked(
            principal.rights,
            () =>
              handler((host === undefined ? wanted : withoutHost(wanted)) as never, {
                principal: { ...principal, role, becomes: (name) => void (actor = name) },
                ...(content && { content }),
                note: (what) => void (noted = what),
              }),
          );
        const answer = joinsSame(COMMANDS[command])
          ? await joined.join([callerKey(principal), command, host, wanted], carryOut)
          : await carryOut();
        const made = makesVm === undefined ? null : answer as Readonly<Record<string, unknown>> | null;
        if (made !== null) about = { vmId: String(made[makesVm!]), vmName: String(made.name) };
        return answer;
      };
      if (viewer.rights.every((layer) => layer === "all")) {
        const answer = await run(allowed);
        return tellsSentences(command) ? rendered(answer) : answer;
      }
      const shown = (answer: unknown) =>
        rendered(
          filterOutput(command, attributedAnswer(answer, names), viewer, () => vms(), () => vms(host), host),
        );
      const longest = longestOf(command);
      if (longest === undefined) {
        // What is refused one by one repeats the id that was asked for, of a VM out of sight as of none.
        const filtered = async (wanted: unknown) => shown(await run(wanted));
        return await narrowBatch(principal, command, allowed, vm, filtered);
      }
      const { limit = 50 } = allowed as { limit?: number };
      const answer = shown(await run({ ...allowed as object, limit: longest }));
      return (answer as unknown[]).slice(0, limit);
    } catch (thrown) {
      error = asContractError(thrown, command);
      // A VM that was not made has no id, but the name that was wished for.
      if (makesVm !== undefined && isValid) about ??= nameWished(input);
      // What was refused before was carried out on no host, and may name none.
      if (isRouted) error = await staleTarget?.(command, input, error) ?? error;
      error = attributedError(error, names);
      const sight = sightOf(viewer, vms);
      throw sight === undefined ? error : redactError(error, sight);
    } finally {
      const tookMs = Math.round((performance.now() - started) * 10) / 10;
      if (!readOnly || audited) {
        const mentions = error === undefined ? [] : idsInError(error, names).filter((id) => id !== vmId);
        record({
          actor,
          door: principal.door,
          ...(principal.address !== "" && { address: principal.address }),
          ...(principal.door === "mcp" && { client: principal.client }),
          action: command,
          result: error ? "error" : "ok",
          input: bounded(withNote(recorded(command, input, isValid), noted)),
          tookMs,
          ...where,
          ...about,
          ...(error && { message: error.sentence }),
          ...(mentions.length > 0 && { mentions }),
        }, error && { code: error.code, isAnonymous: principal.via === "nobody" });
      }
      log.debug("command", { command, door: principal.door, tookMs, error: error?.code });
    }
  };
}

/** Text of the audit in the place of a secret. */
const NOT_RECORDED = "(not recorded)";
/** Fields of a command that hold secrets. */
interface SecretFields {
  /** Their names. */
  readonly names: Set<string>;
  /** Fields with the input of another command, and those with its name. */
  readonly inputs: Map<string, string>;
}
const secretFields = new Map<CommandName, SecretFields>();

/** Collects what a schema marks as secret (`SECRET`, `UNRECORDED`, `inputOf()`), however deep. */
function collectSecrets(schema: unknown, into: SecretFields): void {
  if (typeof schema !== "object" || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    if (key === "properties") {
      for (
        const [name, field] of Object.entries(value as Record<string, Readonly<Record<string, unknown>>>)
      ) {
        if (field["x-secret"] === true || field["x-unrecorded"] === true) into.names.add(name);
        const of = field["x-input-of"];
        if (typeof of === "string") into.inputs.set(name, of);
      }
    }
    collectSecrets(value, into);
  }
}

function secretsOf(command: CommandName): SecretFields {
  let fields = secretFields.get(command);
  if (!fields) {
    secretFields.set(command, fields = { names: new Set(), inputs: new Map() });
    collectSecrets(COMMANDS[command].input, fields);
  }
  return fields;
}

function withoutFields(input: unknown, fields: SecretFields): unknown {
  if (Array.isArray(input)) return input.map((each) => withoutFields(each, fields));
  if (typeof input !== "object" || input === null) return input;
  const given: Readonly<Record<string, unknown>> = { ...input };
  const recordedField = (name: string, value: unknown): unknown => {
    if (fields.names.has(name)) return NOT_RECORDED;
    const of = fields.inputs.get(name);
    if (of === undefined) return withoutFields(value, fields);
    const command = given[of];
    return typeof command === "string" && isCommand(command)
      ? withoutFields(value, secretsOf(command))
      : NOT_RECORDED;
  };
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, recordedField(name, value)]));
}

/** The input as the audit keeps it: without secrets. One that is not valid may have them under any name. */
function recorded(command: CommandName, input: unknown, isValid: boolean): unknown {
  const fields = secretsOf(command);
  if (fields.names.size === 0 && fields.inputs.size === 0) return input;
  if (isValid) return withoutFields(input, fields);
  const vmId = subject(input);
  return vmId === undefined ? NOT_RECORDED : { vmId };
}

/** The input, with what the handler found to be worth keeping: that is there for a valid one alone, which is an object. */
function withNote(input: unknown, noted: Readonly<Record<string, unknown>> | undefined): unknown {
  return noted === undefined ? input : { ...input as object, ...noted };
}

/** The audit keeps the input, bounded, so that it cannot fill the disk. */
function bounded(input: unknown): unknown {
  const text = JSON.stringify(input ?? {});
  return text.length <= 4096 ? input ?? {} : { truncated: text.slice(0, 4096) };
}
