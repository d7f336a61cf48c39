/**
 * `kvm-manager mcp`: MCP over standard input and output, for programs that start their servers. Each line is a message, which
 * goes to `/mcp` of the running server, by its socket or with an API token: rights, plans and settings are there.
 */
import { ownHelp } from "./own_help.ts";
import { message, render } from "../lib/i18n/message.ts";
import { ApiError } from "../lib/client/api.ts";
import {
  MCP_PATH,
  type McpMessage,
  messageIn,
  MOST_MESSAGE,
  RPC_CODES,
  SESSION_HEADER,
} from "../lib/mcp/protocol.ts";
import { parseJson } from "../lib/text/json.ts";
import { writeAll } from "../lib/write_all.ts";
import { optionsAlone } from "./arguments.ts";
import { type Server, serverOf } from "./connect/server.ts";
import { TARGET_OPTIONS, targetOf } from "./connect/target.ts";
import { EXIT } from "./exit.ts";
import { failed } from "./verb/failure.ts";

/** Messages that are under way at once; no more are read before one has its answer and that was taken. */
const MOST_AT_ONCE = 8;
const NEW_LINE = 0x0a;

export const MCP_HELP = () =>
  ownHelp({
    usage: "kvm-manager mcp [OPTIONS]",
    about: [
      message`Speaks MCP (Model Context Protocol) on standard input and output, for programs that start their servers themselves. It must be switched on: kvm-manager mcp-access set --enabled. It may change things only with --acting.`,
    ],
    server: true,
    examples: ["kvm-manager mcp", "kvm-manager mcp --context kvm2"],
  });

/** Reads its arguments. @throws {UsageError} */
export function readMcp(args: readonly string[]) {
  return { values: optionsAlone(args, TARGET_OPTIONS) };
}

/** Lines of bytes; null for one that is longer than a message may be. It is passed over up to its end. */
export async function* messageLines(
  bytes: AsyncIterable<Uint8Array>,
  most = MOST_MESSAGE,
): AsyncGenerator<Uint8Array | null> {
  let pieces: Uint8Array[] = [], size = 0;
  const whole = () => {
    const line = size > most ? null : new Uint8Array(size);
    let at = 0;
    for (const piece of line === null ? [] : pieces) {
      line!.set(piece, at);
      at += piece.length;
    }
    pieces = [];
    size = 0;
    return line;
  };
  const add = (piece: Uint8Array) => {
    size += piece.length;
    if (size > most) pieces = [];
    else if (piece.length > 0) pieces.push(piece);
  };
  for await (const chunk of bytes) {
    let from = 0;
    for (let at = chunk.indexOf(NEW_LINE); at >= 0; at = chunk.indexOf(NEW_LINE, from)) {
      add(chunk.subarray(from, at));
      from = at + 1;
      yield whole();
    }
    add(chunk.slice(from));
  }
  if (size > 0) yield whole();
}

/** An error as JSON-RPC has it. */
const rpcError = (id: McpMessage["id"] | null, code: number, message: string, data?: unknown) => ({
  jsonrpc: "2.0",
  id: id ?? null,
  error: { code, message, ...(data !== undefined && { data }) },
});

/** Error code in an answer; undefined if it is no error. */
const codeIn = (answer: unknown): unknown =>
  (answer as { error?: { data?: { code?: unknown } } } | null)?.error?.data?.code;

/** Hands messages to a server, and its answers back. */
export class McpBridge {
  #session: string | undefined;
  #version: string | undefined;
  /** The message that the client began with: a server that was started again is told it again. */
  #initialize: string | undefined;
  #beginning: Promise<unknown> | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly server: Pick<Server, "request" | "host">,
    private readonly write: (line: string) => Promise<void>,
  ) {}

  /** Serves until the input ends, and what came in it is answered. */
  async serve(input: AsyncIterable<Uint8Array>): Promise<void> {
    const running = new Set<Promise<void>>();
    for await (const line of messageLines(input)) {
      const work = this.#take(line);
      // Nothing can be said before there is a session to say it in
      if (this.#session === undefined) await work;
      const done: Promise<void> = work.finally(() => running.delete(done));
      running.add(done);
      done.catch(() => {/* thrown below, to who serves */});
      while (running.size >= MOST_AT_ONCE) await Promise.race(running);
    }
    await Promise.all(running);
    await this.#end();
  }

  async #take(line: Uint8Array | null): Promise<void> {
    if (line === null) {
      return await this.#tell(
        rpcError(null, RPC_CODES.invalid, `a message has at most ${MOST_MESSAGE} bytes`),
      );
    }
    let text: string, value: unknown;
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(line).trim();
      if (text === "") return;
      value = parseJson(text);
    } catch (error) {
      const reason = error instanceof Error ? error.message.slice(0, 200) : "";
      return await this.#tell(rpcError(null, RPC_CODES.parse, `this is no JSON: ${reason}`));
    }
    const message = messageIn(value);
    if (message === undefined) {
      return await this.#tell(
        rpcError(null, RPC_CODES.invalid, "one message of JSON-RPC 2.0 is expected, an object"),
      );
    }
    const answer = await this.#answer(text, message);
    // What is refused before it is read has no id in its answer
    if (answer !== undefined && message.id !== undefined) {
      await this.#tell({ ...answer as object, id: message.id });
    } else if (answer !== undefined && codeIn(answer) !== undefined) {
      console.error(`kvm-manager mcp: ${(answer as { error: { message: string } }).error.message}`);
    }
  }

  async #answer(text: string, message: McpMessage): Promise<unknown> {
    try {
      if (message.method === "initialize") {
        this.#initialize = text;
        return await this.#begin();
      }
      const answer = await this.#post(text);
      if (codeIn(answer) !== "McpSessionNotFound" || this.#initialize === undefined) return answer;
      // The server was started again, or the session was idle for too long: another session, and once more
      const begun = await (this.#beginning ??= this.#begin().finally(() => this.#beginning = undefined));
      if (codeIn(begun) !== undefined) return begun;
      return await this.#post(text);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return rpcError(message.id, RPC_CODES.failed, error.message, { code: error.code });
    }
  }

  /** Begins a session by the client's own message. */
  async #begin(): Promise<unknown> {
    this.#session = this.#version = undefined;
    const answer = await this.#post(this.#initialize!);
    const version = (answer as { result?: { protocolVersion?: unknown } } | undefined)?.result
      ?.protocolVersion;
    if (typeof version === "string") this.#version = version;
    return answer;
  }

  /** @returns the answer; undefined where there is none @throws {ApiError} */
  async #post(text: string): Promise<unknown> {
    const response = await this.server.request(this.#path(), {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        ...this.#heads(),
      },
      body: text,
    });
    const body = await response.text(), session = response.headers.get(SESSION_HEADER);
    if (response.ok && session !== null) this.#session = session;
    if (body === "") return undefined;
    try {
      return parseJson(body);
    } catch (cause) {
      const error = new ApiError(
        "BadAnswer",
        render(message`it answered with something that is not JSON (HTTP ${response.status})`),
      );
      error.cause = cause;
      throw error;
    }
  }

  /** Ends the session. A server that is gone has ended it. */
  async #end(): Promise<void> {
    if (this.#session === undefined) return;
    try {
      const response = await this.server.request(this.#path(), { method: "DELETE", headers: this.#heads() });
      await response.body?.cancel();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  #path(): string {
    const { host } = this.server;
    return host === undefined ? MCP_PATH : `${MCP_PATH}?host=${encodeURIComponent(host)}`;
  }

  #heads(): Record<string, string> {
    return {
      ...(this.#session !== undefined && { [SESSION_HEADER]: this.#session }),
      ...(this.#version !== undefined && { "mcp-protocol-version": this.#version }),
    };
  }

  /** Writes one line, whole, after those before it. */
  #tell(message: unknown): Promise<void> {
    return this.#writing = this.#writing.then(() => this.write(`${JSON.stringify(message)}\n`));
  }
}

/** Speaks MCP until standard input ends; gives the exit status. */
export async function mcpCommand(args: readonly string[]): Promise<number> {
  try {
    const server = serverOf(await targetOf(readMcp(args).values));
    if (Deno.stdin.isTerminal()) {
      console.error(
        `kvm-manager mcp: ${render(message`programs that speak MCP start this. Ctrl+D ends it.`)}`,
      );
    }
    const encoder = new TextEncoder();
    const bridge = new McpBridge(server, (line) => writeAll(Deno.stdout, encoder.encode(line)));
    await bridge.serve(Deno.stdin.readable);
    return EXIT.done;
  } catch (error) {
    return failed(error, ["mcp"]);
  }
}
