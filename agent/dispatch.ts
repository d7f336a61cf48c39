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
import { schemaRefusals } from "../lib/contract/refusal.ts";
import { refusalWithoutHidden } from "../lib/access/hidden.ts";
import { LONGEST, shownAnswer, sightOf, type Viewer } from "../lib/access/shown.ts";
import type { VM } from "../lib/contract/mod.ts";
import { authorise, guardGroup, narrowBatch, type VmFacts } from "./access/authorise.ts";
import type { Principal } from "./access.ts";
import { contractError } from "./libvirt/failure.ts";
import { log } from "./log.ts";
import type { ActivityEntry } from "./store/activity.ts";

/** What arrives piece by piece, as fast as it is asked for. */
export interface Arriving {
  /** The next piece; null at the end, and when it breaks off. One is asked for at a time. */
  next(): Promise<Uint8Array | null>;
  /** Has the piece that is waited for fail; more can be asked for afterwards. */
  interrupt(reason: unknown): void;
}

/** Content that travels beside a command's fields, streamed. */
export interface Content {
  readonly body?: Arriving | undefined;
  /** Takes what the command gives as content. */
  readonly answer?: (content: ReadableStream<Uint8Array>) => void;
}

/** What a handler knows of the call beside its input. */
export interface CallContext {
  readonly principal: Principal;
  readonly content?: Content;
}

/** What carries a command out. */
export type Handler<N extends CommandName> = (
  input: Input<N>,
  context: CallContext,
) => Promise<Output<N>> | Output<N>;
/** A handler for every command of the contract: a missing one does not compile. */
export type Handlers = { readonly [N in CommandName]: Handler<N> };

export interface DispatchOptions {
  readonly handlers: Handlers;
  readonly record: (entry: ActivityEntry) => void;
  /** Waits, a bounded time, until the first connection to libvirt has succeeded or failed. */
  readonly settled: () => Promise<void>;
  /** What the audit and the rights depend on of a machine; undefined where there is none. */
  readonly vm: (vmId: string) => VmFacts | undefined;
  /** Every machine, for who may see only some of them. */
  readonly vms: () => readonly VM[];
  /** Groups that grants name. */
  readonly grantedGroups: () => ReadonlySet<string>;
}

/** Carries out a command by its wire name. */
export type Dispatch = (
  command: string,
  input: unknown,
  principal: Principal,
  content?: Content,
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
    throw schemaRefusals(COMMANDS[name].input, validator.Errors(input), input)[0]!.error;
  }
  return input as Input<N>;
}

/** The machine a command is about, where it is about one. */
function subject(input: unknown): string | undefined {
  const vmId = (input as { vmId?: unknown } | null)?.vmId;
  return typeof vmId === "string" ? vmId : undefined;
}

/** Builds the dispatcher. */
export function createDispatch(
  { handlers, record, vm, vms, grantedGroups, settled }: DispatchOptions,
): Dispatch {
  return async (command, input, principal, content) => {
    if (!isCommand(command)) throw new ContractError("UnknownCommand", { command: command.slice(0, 64) });
    const { readOnly, withoutLibvirt }: Command = COMMANDS[command];
    if (!withoutLibvirt) await settled();
    const started = performance.now();
    let error: ContractError | undefined;
    let isValid = false;
    let actor = principal.name;
    // Before the run: afterwards a deleted machine has no name any more.
    const vmId = subject(input);
    const name = vmId === undefined ? undefined : vm(vmId)?.name;
    const viewer: Viewer = {
      rights: principal.rights,
      name: principal.name,
      groupOf: (id) => vm(id)?.group,
    };
    try {
      const role = authorise(principal, command, input, vm);
      const valid = validate(command, input ?? {});
      isValid = true;
      guardGroup(principal, command, valid, vm, grantedGroups);
      const handler = handlers[command] as (input: unknown, context: CallContext) => unknown;
      const run = (wanted: unknown) =>
        handler(wanted, {
          principal: { ...principal, role, becomes: (name) => void (actor = name) },
          ...(content && { content }),
        });
      if (viewer.rights.every((layer) => layer === "all")) return await run(valid);
      const longest = LONGEST[command];
      if (longest === undefined) {
        return shownAnswer(command, await narrowBatch(principal, command, valid, vm, run), viewer, vms);
      }
      const { limit = 50 } = valid as { limit?: number };
      const answer = shownAnswer(command, await run({ ...valid, limit: longest }), viewer, vms);
      return (answer as unknown[]).slice(0, limit);
    } catch (thrown) {
      error = asContractError(thrown, command);
      const sight = sightOf(viewer, vms);
      throw sight === undefined ? error : refusalWithoutHidden(error, sight);
    } finally {
      const tookMs = Math.round((performance.now() - started) * 10) / 10;
      // Whoever knocks without end must not fill the disk with it: what is throttled is no news.
      if (!readOnly && error?.code !== "TooManyAttempts") {
        record({
          actor,
          door: principal.door,
          ...(principal.address !== "" && { address: principal.address }),
          action: command,
          result: error ? "error" : "ok",
          input: bounded(recorded(command, input, isValid)),
          tookMs,
          ...(vmId !== undefined && name !== undefined && { vmId, vmName: name }),
          ...(error && { message: error.message }),
        });
      }
      log.debug("command", { command, door: principal.door, tookMs, error: error?.code });
    }
  };
}

/** What the audit has in the place of a secret. */
const NOT_RECORDED = "(not recorded)";
/** Names of the fields that hold secrets, by command. */
const secretFields = new Map<CommandName, ReadonlySet<string>>();

/** Collects the names of what a schema marks as secret (`SECRET`), however deep. */
function collectSecrets(schema: unknown, into: Set<string>): void {
  if (typeof schema !== "object" || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    if (key === "properties") {
      for (const [name, field] of Object.entries(value as Record<string, unknown>)) {
        if ((field as { "x-secret"?: boolean })["x-secret"]) into.add(name);
      }
    }
    collectSecrets(value, into);
  }
}

function withoutFields(input: unknown, names: ReadonlySet<string>): unknown {
  if (Array.isArray(input)) return input.map((each) => withoutFields(each, names));
  if (typeof input !== "object" || input === null) return input;
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) => [
      name,
      names.has(name) ? NOT_RECORDED : withoutFields(value, names),
    ]),
  );
}

/** The input as the audit keeps it: without secrets. One that is not valid may have them under any name. */
function recorded(command: CommandName, input: unknown, isValid: boolean): unknown {
  let names = secretFields.get(command);
  if (!names) {
    const found = new Set<string>();
    collectSecrets(COMMANDS[command].input, found);
    secretFields.set(command, names = found);
  }
  if (names.size === 0) return input;
  if (isValid) return withoutFields(input, names);
  const vmId = subject(input);
  return vmId === undefined ? NOT_RECORDED : { vmId };
}

/** The audit keeps the input, but nobody can fill the disk with it. */
function bounded(input: unknown): unknown {
  const text = JSON.stringify(input ?? {});
  return text.length <= 4096 ? input ?? {} : { truncated: text.slice(0, 4096) };
}

/** Whatever was thrown, as an error of the contract. What is not one is our own fault: logged whole, told in short. */
function asContractError(thrown: unknown, command: string): ContractError {
  const error = contractError(thrown, "LibvirtFailed", command);
  if (error instanceof ContractError) return error;
  log.error("a command failed unexpectedly", {
    command,
    error,
    stack: error instanceof Error ? error.stack : undefined,
  });
  return new ContractError("Internal", undefined, { cause: error });
}
