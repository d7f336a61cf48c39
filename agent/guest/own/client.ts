/**
 * The host's end of a line to our guest agent (guest/PROTOCOL.md): requests by id, each with a time limit. Whatever the
 * guest does, a call ends within its limit; after one that was not answered, others are not kept waiting as well.
 */
import { createHash } from "node:crypto";
import type { Static } from "typebox";
import { checker } from "typebox/compile";
import { base64Of, bytesOfBase64 } from "../../../lib/guest/base64.ts";
import { LineCutter } from "../../../lib/guest/lines.ts";
import {
  type AgentId,
  type AgentMessage,
  decodeMessage,
  encodeNotification,
  encodeRequest,
} from "../../../lib/guest/message.ts";
import {
  AGENT_ERROR,
  CHUNKS_AHEAD,
  MAX_CHUNK,
  MAX_LINE,
  PROTOCOL_MAX,
  PROTOCOL_MIN,
  speaksWith,
} from "../../../lib/guest/protocol.ts";
import {
  AGENT_RESULTS,
  type AgentMethod,
  type AgentResult,
  EXEC_OUTPUT,
} from "../../../lib/guest/results.ts";
import { AgentFailure } from "./failure.ts";

/** A line to a guest: bytes both ways. */
export interface ByteStreams {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<Uint8Array<ArrayBuffer>>;
}

/** How a call is made. */
export interface CallOptions {
  /** Milliseconds until it is given up. */
  readonly limitMs?: number;
  readonly signal?: AbortSignal;
  /** That it is not answered keeps no other call from being made. */
  readonly isProbe?: boolean;
}

/** Arguments, environment and limits of a command. */
export interface ExecOptions extends CallOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly user?: string;
  /** Given to the command as its input. */
  readonly stdin?: Uint8Array;
  /** Milliseconds until the guest ends the command. */
  readonly timeoutMs?: number;
  /** Bytes of each stream that are taken; of output that is not streamed at most 128 KiB. */
  readonly maxOutput?: number;
  /** Told what the command writes, as it comes; the result has no output then. */
  readonly onOutput?: (stream: "stdout" | "stderr", bytes: Uint8Array<ArrayBuffer>) => void;
}

/** How a command ended. */
export interface ExecEnd {
  readonly exitCode: number;
  readonly signal: string;
  readonly stdout: Uint8Array<ArrayBuffer>;
  readonly stderr: Uint8Array<ArrayBuffer>;
  readonly stdoutTruncated: boolean;
  readonly stderrTruncated: boolean;
  readonly timedOut: boolean;
}

/** Milliseconds most answers may take; the agent itself gives up after 20 s. */
const LIMIT_MS = 25_000;
/** Milliseconds a chunk may take: a guest's disk may be slow. */
const CHUNK_LIMIT_MS = 60_000;
/** Milliseconds a guest has for opening the conversation. */
const HELLO_MS = 5000;
/** Milliseconds a command's answer may take beyond the command's own time. */
const EXEC_GRACE_MS = 10_000;
/** Milliseconds that a guest which did not answer is left in peace. */
const SILENCE_MS = 15_000;
/** Unrequested lines in a row, and bytes, after which the other end is taken for no agent. */
const MOST_GARBAGE = { lines: 10_000, bytes: 256 * 1024 * 1024 } as const;
/** Requests under way; the agent takes 16. */
const MOST_PENDING = 64;

interface Pending {
  readonly method: AgentMethod;
  readonly answer: PromiseWithResolvers<unknown>;
  readonly onOutput?: ExecOptions["onOutput"];
}

const checks = Object.fromEntries(
  Object.entries(AGENT_RESULTS).map(([method, schema]) => [method, checker(schema)]),
) as unknown as Readonly<Record<AgentMethod, (value: unknown) => boolean>>;
const isOutput = checker(EXEC_OUTPUT);

export class OwnAgentClient implements AsyncDisposable {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  readonly #pending = new Map<AgentId, Pending>();
  readonly #over = Promise.withResolvers<AgentFailure>();
  #info: AgentResult<"get_agent_info"> | undefined;
  #failure: AgentFailure | undefined;
  #silentUntil = 0;
  /** A question went unanswered, and nothing was heard since. */
  #isDoubtful = false;
  #garbage = { lines: 0, bytes: 0 };
  // Ids of one conversation are none of another: a late answer to the one before fits none of ours
  #nextId = crypto.getRandomValues(new Uint32Array(1))[0]! * 1024;

  private constructor({ readable, writable }: ByteStreams, private readonly silenceMs: number) {
    this.#reader = readable.getReader();
    this.#writer = writable.getWriter();
    this.#writer.closed.catch((error) => this.#end(new AgentFailure("closed", String(error))));
    void this.#read();
  }

  /**
   * Begins a conversation: what a former host left behind is ended, half lines of it are passed over.
   *
   * @param silenceMs for which a guest is left in peace that did not answer
   * @throws {AgentFailure} `silent` without an answer, `version` where our protocol is not spoken
   */
  static async open(
    streams: ByteStreams,
    limitMs = HELLO_MS,
    silenceMs = SILENCE_MS,
  ): Promise<OwnAgentClient> {
    const client = new OwnAgentClient(streams, silenceMs);
    try {
      await client.#write(new Uint8Array([0x0a]), limitMs);
      const asked = { protocol_min: PROTOCOL_MIN, protocol_max: PROTOCOL_MAX, reset: true };
      client.#info = await client.call("get_agent_info", asked, { limitMs });
      if (!speaksWith(client.#info)) throw new AgentFailure("version", "the agent speaks another protocol");
      return client;
    } catch (error) {
      await client.close();
      if (error instanceof AgentFailure && error.code === AGENT_ERROR.NoCommonVersion) {
        throw new AgentFailure("version", error.message, { cause: error });
      }
      throw error;
    }
  }

  /** The agent's information about itself. */
  get info(): AgentResult<"get_agent_info"> {
    return this.#info!;
  }

  /** Resolved, with the reason, when the conversation is over. */
  get over(): Promise<AgentFailure> {
    return this.#over.promise;
  }

  /** Whether a question went unanswered a moment ago. */
  get isSilent(): boolean {
    return performance.now() < this.#silentUntil;
  }

  /** Whether it answers, as far as is known: one that did not a while ago is asked. */
  async hasVoice(limitMs = HELLO_MS): Promise<boolean> {
    if (this.isSilent) return false;
    if (!this.#isDoubtful) return true;
    try {
      await this.call("ping", {}, { limitMs });
      return true;
    } catch (error) {
      if (error instanceof AgentFailure && error.reason === "silent") return false;
      throw error;
    }
  }

  /** Whether answers are waited for. */
  get isWaiting(): boolean {
    return this.#pending.size > 0;
  }

  /**
   * Whether it is still the agent that the conversation began with: one that was killed is started again by the guest, and
   * knows nothing of what was asked of the one before. Without an answer it is taken for the same.
   */
  async isSame(limitMs = HELLO_MS): Promise<boolean> {
    try {
      const { pid } = await this.call("get_agent_info", {}, { limitMs, isProbe: true });
      return pid === this.info.pid;
    } catch (error) {
      if (error instanceof AgentFailure) return true;
      throw error;
    }
  }

  /** Whether the agent has a method, and its configuration allows it. */
  can(method: AgentMethod): boolean {
    return this.info.methods.includes(method);
  }

  /** Asks for something. @throws {AgentFailure} */
  async call<M extends AgentMethod>(
    method: M,
    params: object = {},
    options: CallOptions & Pick<Pending, "onOutput"> = {},
  ): Promise<AgentResult<M>> {
    const { limitMs = LIMIT_MS, signal, onOutput, isProbe = false } = options;
    signal?.throwIfAborted();
    if (this.#failure) throw this.#failure;
    if (performance.now() < this.#silentUntil) throw silent();
    if (this.#pending.size >= MOST_PENDING) {
      throw new AgentFailure("busy", "too many requests are under way");
    }
    const id = this.#nextId++;
    const line = encodeRequest(id, method, params);
    if (line.length > MAX_LINE) throw new AgentFailure("refused", "the request is too long");
    const answer = Promise.withResolvers<unknown>();
    const pending: Pending = { method, answer, ...(onOutput && { onOutput }) };
    this.#pending.set(id, pending);
    const abort = () => {
      this.#notify("cancel", { id });
      answer.reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      if (!isProbe) {
        this.#silentUntil = performance.now() + this.silenceMs;
        this.#isDoubtful = true;
      }
      this.#notify("cancel", { id });
      answer.reject(silent());
    }, limitMs);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      // Not waited for: a guest that does not read would keep it. The answer is, and has a limit
      this.#writer.write(line).catch((error) => answer.reject(new AgentFailure("closed", String(error))));
      const result = await answer.promise;
      if (!checks[method](result)) {
        throw new AgentFailure("invalid", `the agent's answer to ${method} is not what it must be`);
      }
      return result as AgentResult<M>;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      this.#pending.delete(id);
    }
  }

  /** Runs a command. @throws {AgentFailure} */
  async exec(command: string, options: ExecOptions = {}): Promise<ExecEnd> {
    const { args = [], env = {}, cwd, user, stdin, timeoutMs = 60_000, maxOutput, onOutput, signal } =
      options;
    if (stdin && stdin.length > MAX_CHUNK) {
      throw new AgentFailure("refused", "a command's input has at most 256 KiB");
    }
    const ended = await this.call("exec_command", {
      command,
      args,
      env,
      ...(cwd !== undefined && { cwd }),
      ...(user !== undefined && { user }),
      ...(stdin && { stdin: base64Of(stdin) }),
      ...(maxOutput !== undefined && { max_output: maxOutput }),
      timeout_ms: timeoutMs,
      stream: onOutput !== undefined,
    }, {
      limitMs: options.limitMs ?? timeoutMs + EXEC_GRACE_MS,
      ...(signal && { signal }),
      ...(onOutput && { onOutput }),
    });
    return {
      exitCode: ended.exit_code,
      signal: ended.signal,
      stdout: decoded(ended.stdout),
      stderr: decoded(ended.stderr),
      stdoutTruncated: ended.stdout_truncated,
      stderrTruncated: ended.stderr_truncated,
      timedOut: ended.timed_out,
    };
  }

  /**
   * Copies into the guest. The file appears at its place when it is whole and its checksum is right; else nothing is
   * left of it.
   *
   * @param content in pieces of any size
   * @param mode permissions as chmod has them; those of the file that is replaced when left out
   * @returns its SHA-256 as the guest has it
   * @throws {AgentFailure}
   */
  async copyTo(
    path: string,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options: CallOptions & { readonly mode?: number; readonly size?: number; readonly overwrite?: boolean } =
      {},
  ): Promise<{ readonly size: number; readonly sha256: string }> {
    const { mode, size, overwrite, signal } = options;
    const opened = await this.call("file_open", {
      path,
      write: true,
      ...(mode !== undefined && { mode }),
      ...(size !== undefined && { size }),
      ...(overwrite !== undefined && { overwrite }),
    });
    const { handle } = opened, hash = createHash("sha256");
    const limits = { limitMs: CHUNK_LIMIT_MS, ...(signal && { signal }) };
    const ahead: Promise<unknown>[] = [];
    let offset = 0;
    try {
      for await (const piece of content) {
        for (let at = 0; at < piece.length; at += MAX_CHUNK) {
          const chunk = piece.subarray(at, at + MAX_CHUNK);
          hash.update(chunk);
          if (ahead.length >= CHUNKS_AHEAD) await ahead.shift();
          const sent = this.call("chunk_write", { handle, offset, data: base64Of(chunk) }, limits);
          sent.catch(() => {}); // told by who waits for it
          ahead.push(sent);
          offset += chunk.length;
        }
      }
      await Promise.all(ahead);
      const sha256 = hash.digest("hex");
      const closed = await this.call("file_close", { handle, sha256 }, limits);
      if (closed.sha256 !== sha256 || closed.size !== offset) {
        throw new AgentFailure("invalid", "the guest wrote something else than it was sent");
      }
      return { size: offset, sha256 };
    } catch (error) {
      await Promise.allSettled(ahead);
      // What the guest does not hear any more it ends by itself, with the conversation
      await this.call("file_close", { handle, abort: true }, { limitMs: HELLO_MS }).catch(() => {});
      throw error;
    }
  }

  /**
   * Copies out of the guest, in pieces as they are taken; the checksum is compared at the end.
   *
   * @throws {AgentFailure} also at its end, when what came is not what the guest read
   */
  async *copyFrom(
    path: string,
    { signal }: CallOptions = {},
  ): AsyncGenerator<Uint8Array<ArrayBuffer>, { readonly size: number; readonly mode: number }> {
    const { handle, mode } = await this.call("file_open", { path });
    const limits = { limitMs: CHUNK_LIMIT_MS, ...(signal && { signal }) };
    const hash = createHash("sha256");
    const ahead: Promise<AgentResult<"chunk_read">>[] = [];
    const ask = () => {
      const next = this.call("chunk_read", { handle, length: MAX_CHUNK }, limits);
      next.catch(() => {}); // told by who waits for it
      ahead.push(next);
    };
    let size = 0, isClosed = false;
    try {
      for (let n = 0; n < CHUNKS_AHEAD; n++) ask();
      for (;;) {
        const part = await ahead.shift()!;
        const bytes = decoded(part.data);
        if (part.offset !== size || (bytes.length === 0 && !part.eof)) {
          throw new AgentFailure("invalid", "the guest sent another part of the file");
        }
        hash.update(bytes);
        size += bytes.length;
        if (!part.eof) ask();
        if (bytes.length > 0) yield bytes;
        if (part.eof) break;
      }
      await Promise.allSettled(ahead);
      isClosed = true;
      const closed = await this.call("file_close", { handle }, limits);
      if (closed.sha256 !== hash.digest("hex")) {
        throw new AgentFailure("invalid", "the checksum of what the guest sent is wrong");
      }
      return { size, mode };
    } finally {
      if (!isClosed) {
        await Promise.allSettled(ahead);
        await this.call("file_close", { handle, abort: true }, { limitMs: HELLO_MS }).catch(() => {});
      }
    }
  }

  /** Ends the conversation; the agent then ends what was under way. */
  async close(): Promise<void> {
    this.#end(new AgentFailure("closed", "the conversation was ended"));
    await Promise.allSettled([this.#reader.cancel(), this.#writer.abort()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #write(line: Uint8Array<ArrayBuffer>, limitMs: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(silent()), limitMs);
    });
    try {
      await Promise.race([this.#writer.write(line), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #notify(method: string, params: object): void {
    this.#writer.write(encodeNotification(method, params)).catch(() => {}); // the reader tells that it is over
  }

  async #read(): Promise<void> {
    const cutter = new LineCutter();
    try {
      for (;;) {
        const { value, done } = await this.#reader.read();
        if (done) return this.#end(new AgentFailure("closed", "the guest closed the channel"));
        this.#garbage.bytes += value.length;
        for (const line of cutter.push(value)) {
          this.#take(line === null ? { kind: "invalid" } : decodeMessage(line));
          if (this.#failure) return;
        }
        this.#bear();
      }
    } catch (error) {
      this.#end(new AgentFailure("closed", String(error), { cause: error }));
    }
  }

  /** Ends it when too much came unrequested: half a line is left over at the beginning, and some answers are late. */
  #bear(): void {
    const { lines, bytes } = this.#garbage;
    if (lines <= MOST_GARBAGE.lines && bytes <= MOST_GARBAGE.bytes) return;
    this.#end(new AgentFailure("invalid", "what comes from the guest is not its agent's protocol"));
  }

  #take(message: AgentMessage): void {
    const { kind } = message;
    const id = kind === "result" || kind === "error" ? message.id : outputOf(message)?.id;
    const pending = id === undefined || id === null ? undefined : this.#pending.get(id);
    if (!pending) {
      this.#garbage.lines++;
      return this.#bear();
    }
    this.#garbage = { lines: 0, bytes: 0 };
    if (message.kind === "notification") return this.#output(message, pending);
    if (message.kind === "invalid") return;
    this.#silentUntil = 0;
    this.#isDoubtful = false;
    if (message.kind === "result") return pending.answer.resolve(message.result);
    pending.answer.reject(new AgentFailure("refused", message.message, { code: message.code }));
  }

  #output(message: AgentMessage, { onOutput }: Pending): void {
    const output = outputOf(message), bytes = output && bytesOfBase64(output.data);
    if (output && bytes) onOutput?.(output.stream, bytes);
  }

  #end(failure: AgentFailure): void {
    if (this.#failure) return;
    this.#failure = failure;
    this.#over.resolve(failure);
    for (const { answer } of this.#pending.values()) answer.reject(failure);
    this.#pending.clear();
  }
}

/** Output of a command in a message; undefined for another message. */
function outputOf(message: AgentMessage): Static<typeof EXEC_OUTPUT> | undefined {
  if (message.kind !== "notification" || message.method !== "exec_output") return undefined;
  return isOutput(message.params) ? message.params : undefined;
}

const silent = () => new AgentFailure("silent", "the guest's agent does not answer");

/** @throws {AgentFailure} */
function decoded(text: string): Uint8Array<ArrayBuffer> {
  const bytes = bytesOfBase64(text);
  if (!bytes) throw new AgentFailure("invalid", "the agent's answer has bytes that are none");
  return bytes;
}
