/**
 * The product as a client of its contract sees it: commands with their types, every answer and every event checked
 * against the contract's schemas.
 */
import assert from "node:assert/strict";
import { Compile, type Validator } from "typebox/compile";
import { EVENTS } from "../../lib/contract/events.ts";
import {
  type CommandName,
  COMMANDS,
  type ErrorCode,
  type EventData,
  type EventName,
  type Input,
  type Output,
} from "../../lib/contract/mod.ts";
import { virshUnless } from "./libvirt.ts";
import { CallError, type ServerOptions, startServer, type TestServer } from "./server.ts";
import { atSocket, TESTER, VISITOR } from "./sign_in.ts";
import { parseEvents } from "./sse.ts";
import { until, type WaitOptions } from "./wait.ts";

const validators = new Map<string, Validator>();

/** @throws {AssertionError} naming what does not match */
function conforms(name: string, schema: () => Validator, value: unknown): void {
  let validator = validators.get(name);
  if (validator === undefined) validators.set(name, validator = schema());
  if (validator.Check(value)) return;
  assert.fail(`${name} gave what its schema does not allow: ${JSON.stringify(validator.Errors(value))}`);
}

/** Checks an answer against the command's output schema. */
export function checkOutput(name: CommandName, answer: unknown): void {
  conforms(name, () => Compile(COMMANDS[name].output), answer);
}

type Args<N extends CommandName> = Record<never, never> extends Input<N> ? [input?: Input<N>]
  : [input: Input<N>];

/** Calls a command; its answer is checked. @throws {CallError} when the server says no */
export async function call<N extends CommandName>(
  server: TestServer,
  name: N,
  ...[input]: Args<N>
): Promise<Output<N>> {
  const answer = await server.call(name, input ?? {});
  checkOutput(name, answer);
  return answer as Output<N>;
}

/** The error of the contract that a call failed with. */
export interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Record<string, unknown>;
}

/** Waits for a call to be refused. @throws {AssertionError} when it is not */
export async function refusal(asked: Promise<unknown>): Promise<Refusal> {
  try {
    const answer = await asked;
    assert.fail(`it was not refused but answered ${JSON.stringify(answer)?.slice(0, 500)}`);
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    const { code, message, details = {} } = error.body as Omit<Refusal, "status">;
    return { status: error.status, code, message, details };
  }
}

/** A call must be refused with this code, and this text when it is given. */
export async function refused(
  asked: Promise<unknown>,
  code: ErrorCode,
  message?: string | RegExp,
): Promise<void> {
  const found = await refusal(asked);
  assert.equal(found.code, code, found.message);
  if (message instanceof RegExp) assert.match(found.message, message);
  else if (message !== undefined) assert.equal(found.message, message);
}

/** One event as it arrived. */
export interface Arrived {
  readonly id: string | null;
  readonly event: EventName;
  readonly data: unknown;
  /** Milliseconds, monotonic. */
  readonly at: number;
}

/** Collects a server's events from the moment it is made until it is disposed of. Every one is checked. */
export class EventLog implements AsyncDisposable {
  readonly events: Arrived[] = [];
  readonly #abort = new AbortController();
  #reading: Promise<void> | undefined;
  #cancel: () => Promise<void> = () => Promise.resolve();
  #failure: unknown;
  #ended = false;

  private constructor() {}

  /** Listens; gives itself once the server has accepted. @param since resumes after this event */
  static async open(server: TestServer, since?: string): Promise<EventLog> {
    const log = new EventLog();
    const response = await fetch(`${server.url}/api/v1/events`, {
      headers: { accept: "text/event-stream", ...(since === undefined ? {} : { "last-event-id": since }) },
      signal: log.#abort.signal,
    });
    if (!response.ok || response.body === null) {
      throw new CallError("events", response.status, await response.text());
    }
    const reader = response.body.getReader();
    log.#cancel = () => reader.cancel().catch(() => {/* broken already: nothing is left to cancel */});
    log.#reading = log.#read(ReadableStream.from(chunks(reader)));
    return log;
  }

  /** Id of the last event that had one. */
  get lastId(): string | null {
    return this.events.findLast(({ id }) => id !== null)?.id ?? null;
  }

  /** Whether the server has closed the stream. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Events of one name, in order, from `from` on (a former `events.length`). */
  of<N extends EventName>(name: N, from = 0): EventData<N>[] {
    return this.events.slice(from).filter(({ event }) => event === name).map(({ data }) =>
      data as EventData<N>
    );
  }

  /** Waits for an event, also one that has arrived already. */
  async waitFor<N extends EventName>(
    name: N,
    fits: (data: EventData<N>) => boolean = () => true,
    { from = 0, ...options }: WaitOptions & { from?: number } = {},
  ): Promise<Arrived & { data: EventData<N> }> {
    return await until(`the event ${name}`, () => {
      if (this.#failure !== undefined) throw this.#failure;
      const found = this.events.slice(from).find(({ event, data }) =>
        event === name && fits(data as EventData<N>)
      );
      return Promise.resolve(found as (Arrived & { data: EventData<N> }) | undefined);
    }, {
      seconds: 10,
      every: 5,
      lastSeen: () =>
        JSON.stringify(this.events.slice(from).slice(-8).map(({ event, data }) => [event, data])),
      ...options,
    });
  }

  /** Stops listening. @throws what was wrong with an event */
  async [Symbol.asyncDispose](): Promise<void> {
    // Cancelled first: in Deno 2.9 a read that waits is not woken by the abort alone once much was read.
    const cancelled = this.#cancel();
    this.#abort.abort();
    await cancelled;
    await this.#reading;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    try {
      for await (const { id, event, data } of parseEvents(body)) {
        const name = event as EventName;
        if (!Object.hasOwn(EVENTS, name)) throw new Error(`the contract has no event ${name}`);
        conforms(name, () => Compile(EVENTS[name].data), data);
        this.events.push({ id, event: name, data, at: performance.now() });
      }
    } catch (error) {
      // What ends the reading when we stop, or when the server goes away, is no finding.
      const left = this.#abort.signal.aborted || error instanceof TypeError;
      if (!left) this.#failure = error;
    } finally {
      this.#ended = true;
    }
  }
}

async function* chunks(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
}

/**
 * The product, once it has read its libvirt whole. Without options it is the one server of the test file, which keeps what
 * earlier tests have made in it but users and roles (settings, schedules, its log); a test that must have one of its own, because it counts or
 * judges something of the whole server, says so by `ownServer()`.
 */
export async function readyServer(options?: ServerOptions): Promise<TestServer> {
  if (options !== undefined || fileServer.isLent) return await ownServer(options);
  fileServer.isLent = true;
  try {
    const isUsed = fileServer.running !== undefined;
    const server = await (fileServer.running ??= ownServer());
    if (isUsed) {
      await withoutPeople(server);
      await untilListed(server);
    }
    server.onDispose(({ hasEnded }) => {
      fileServer.isLent = false;
      if (hasEnded) fileServer.running = undefined;
    });
    return server;
  } catch (error) {
    fileServer.isLent = false;
    fileServer.running = undefined;
    throw error;
  }
}

/** Lists of virsh with the commands that must have the same entries: a server that starts reads all of it first. */
const LISTS = [
  { words: ["list", "--all", "--name"], command: "get_vms" },
  { words: ["pool-list", "--all", "--name"], command: "get_storage_pools" },
  { words: ["net-list", "--all", "--name"], command: "get_networks" },
] as const;

/** Waits until a server knows all that virsh lists. */
async function untilListed(server: TestServer): Promise<void> {
  for (const { words, command } of LISTS) {
    await until(`${command} to have all that virsh lists`, async () => {
      // A pool or network of another test's may go while virsh lists it
      const told = await virshUnless(
        /Could not retrieve|not found|no (domain|network|storage pool) with/i,
        ...words,
      );
      if (told === null) return false;
      const listed = told.split("\n").map((name) => name.trim()).filter(Boolean);
      const known = await server.call(command) as { name: string }[];
      return listed.every((name) => known.some((each) => each.name === name));
    }, { seconds: 30 });
  }
}

/** Removes the users and roles of earlier tests. */
async function withoutPeople({ socket }: TestServer): Promise<void> {
  const users = await atSocket(socket, "list_users", {}) as { id: string; name: string }[];
  for (const { id, name } of users) {
    if (name !== TESTER && name !== VISITOR) await atSocket(socket, "delete_user", { userId: id });
  }
  const roles = await atSocket(socket, "list_roles", {}) as { role: string; builtIn: boolean }[];
  for (const { role, builtIn } of roles) if (!builtIn) await atSocket(socket, "delete_role", { role });
}

/** The server of this file's tests. A test that has it and asks for a second one gets another. */
const fileServer: { running?: Promise<TestServer> | undefined; isLent: boolean } = { isLent: false };

Deno.test.afterAll(async () => await (await fileServer.running)?.end());

/** Starts the product and waits until it has read its libvirt whole. */
export async function ownServer(options: ServerOptions = {}): Promise<TestServer> {
  await using undo = new AsyncDisposableStack();
  const server = undo.use(await startServer(options));
  await untilRead(server);
  undo.move();
  return server;
}

/** Waits until a server has read its libvirt whole. */
async function untilRead(server: TestServer): Promise<void> {
  await until("the first lists", async () => {
    try {
      const lists = [await server.call("get_vms"), await server.call("get_storage_pools")];
      return lists.every(Array.isArray);
    } catch (error) {
      if (error instanceof CallError) return false;
      throw error;
    }
  }, { seconds: 30, every: 20, lastSeen: () => server.log() });
}

/** Waits until the server has a pool, which may have been started a moment ago. */
export async function knownPool(server: TestServer, pool: string): Promise<void> {
  await until("the pool to be known", async () => {
    return (await call(server, "get_storage_pools")).some(({ name, state }) =>
      name === pool && state === "running"
    );
  });
}

/** Waits until the server shows a machine. */
export async function known(server: TestServer, vmId: string, seconds = 10): Promise<Output<"get_vm">> {
  return await shows(server, vmId, () => true, { seconds });
}

/** Waits until the server shows a machine as it is described. */
export async function shows(
  server: TestServer,
  vmId: string,
  fits: (vm: Output<"get_vm">) => boolean,
  options: WaitOptions = {},
): Promise<Output<"get_vm">> {
  let last: unknown;
  return await until(`the machine ${vmId} as described`, async () => {
    try {
      const vm = await call(server, "get_vm", { vmId });
      last = vm;
      return fits(vm) ? vm : null;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      last = error.body;
      return null;
    }
  }, { seconds: 10, every: 10, lastSeen: () => JSON.stringify(last), ...options });
}
