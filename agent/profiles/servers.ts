/**
 * Outside MCP servers, by the official SDK's client, which is loaded when one is first asked. Requests go where webhooks may go
 * (`agent/outbound/`), within a time; what comes back is bounded, and text that others wrote.
 */
import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { ContractError } from "../../lib/contract/errors.ts";
import { message } from "../../lib/i18n/message.ts";
import { messageOf } from "../../lib/text/message.ts";
import { oneLine } from "../../lib/text/text.ts";
import { VERSION } from "../../lib/version.ts";
import { outboundRefusal } from "../outbound/errors.ts";
import { ask, checkedUrl, requireAllowedAddress, type Resolve } from "../outbound/fetch.ts";
import { within } from "../within.ts";
import type { StoredTool } from "./records.ts";

/** Milliseconds for all that one call needs. */
const CALL_MS = 30_000;
/** Milliseconds for its goodbye. */
const CLOSE_MS = 2000;
/** Bytes of one answer, characters of what is handed on, tools that are listed. */
const MOST_BYTES = 1_048_576, MOST_TEXT = 100_000, MOST_TOOLS = 500;
/** Characters of the description and of the schema of a tool. */
const MOST_DESCRIPTION = 2000, MOST_SCHEMA = 20_000;
/** Calls of one server, and of all, at once: a server that calls us, to be called by us, ends here. */
const MOST_AT_ONCE = { server: 2, all: 8 } as const;

/** A tool of a server, as the server tells. */
export interface ServerTool {
  readonly name: string;
  readonly description: string;
  readonly input_schema: string;
}

/** The same as the SDK has it. */
type ListedTool = Awaited<ReturnType<Client["listTools"]>>["tools"][number];

/** Answer of a tool. */
export interface ServerAnswer {
  readonly untrusted: true;
  readonly is_error: boolean;
  readonly text: string;
  readonly truncated: boolean;
}

/**
 * Content that ends with an error where it is longer than it may be.
 *
 * @param isTooLong is told then: the SDK waits for the rest of an event stream that fails
 */
function bounded(
  pieces: AsyncGenerator<Uint8Array>,
  isTooLong: (error: Error) => void,
): ReadableStream<Uint8Array> {
  let size = 0;
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await pieces.next();
      if (done) return controller.close();
      size += value.length;
      if (size > MOST_BYTES) {
        const error = new Error(`its answer is longer than ${MOST_BYTES} bytes`);
        isTooLong(error);
        return controller.error(error);
      }
      controller.enqueue(new Uint8Array(value));
    },
    async cancel() {
      await pieces.return(undefined);
    },
  });
}

/** The SDK's way to the network: judged addresses, no redirect, no stream that stays open. */
const outboundFetch =
  (privateAddresses: boolean, stop: AbortSignal, isTooLong: (error: Error) => void, resolve?: Resolve) =>
  async (target: string | URL, init: RequestInit = {}): Promise<Response> => {
    const method = init.method ?? "GET";
    // A stream for what the server says by itself: nothing waits for that
    if (method === "GET") return new Response(null, { status: 405 });
    const url = String(target),
      body = init.body === undefined || init.body === null ? undefined : String(init.body);
    const { rules, addresses } = await requireAllowedAddress(checkedUrl(url), privateAddresses, resolve);
    const signal = init.signal ? AbortSignal.any([init.signal, stop]) : stop;
    const answer = await ask({
      url,
      rules,
      signal,
      headers: Object.fromEntries(new Headers(init.headers)),
      ...(body !== undefined && { body: new TextEncoder().encode(body) }),
      ...(method === "DELETE" && { method: "DELETE" as const }),
      resolve: () => Promise.resolve(addresses),
    });
    const { status } = answer;
    if (status >= 300 && status < 400) {
      await answer[Symbol.asyncDispose]();
      throw new Error(`it answers with a redirect (HTTP ${status}): give the address it leads to`);
    }
    const isEmpty = status === 202 || status === 204 || status === 205;
    const type = answer.header("content-type"), session = answer.header("mcp-session-id");
    if (isEmpty) await answer[Symbol.asyncDispose]();
    return new Response(isEmpty ? null : bounded(answer.content(), isTooLong), {
      status,
      headers: {
        ...(type !== undefined && { "content-type": type }),
        ...(session !== undefined && { "mcp-session-id": session }),
      },
    });
  };

export class OutsideServers {
  readonly #open = new Map<string, number>();
  readonly #stop = new AbortController();

  /**
   * @param resolve tests bring their own name service
   * @param callMs milliseconds for all that one call needs
   */
  constructor(private readonly resolve?: Resolve, private readonly callMs = CALL_MS) {}

  /** @throws {ContractError} ToolFailed, TooManyRequests */
  async list(tool: StoredTool): Promise<ServerTool[]> {
    return await this.#with(tool, async (client, signal) => {
      const { tools } = await client.listTools(undefined, { signal, timeout: this.callMs });
      return tools.slice(0, MOST_TOOLS).map(({ name, description = "", inputSchema }: ListedTool) => ({
        name: oneLine(name, 256),
        description: description.slice(0, MOST_DESCRIPTION).toWellFormed(),
        input_schema: JSON.stringify(inputSchema).slice(0, MOST_SCHEMA).toWellFormed(),
      }));
    });
  }

  /** @throws {ContractError} ToolFailed, TooManyRequests */
  async call(tool: StoredTool, name: string, args: Readonly<Record<string, unknown>>): Promise<ServerAnswer> {
    return await this.#with(tool, async (client, signal) => {
      const { content, isError } = await client.callTool({ name, arguments: { ...args } }, undefined, {
        signal,
        timeout: this.callMs,
      });
      const parts = Array.isArray(content) ? content as readonly { type: string; text?: unknown }[] : [];
      const text = parts.map((part) =>
        part.type === "text" && typeof part.text === "string"
          ? part.text
          : `(${oneLine(String(part.type), 32)})`
      ).join("\n");
      return {
        ...{ untrusted: true, is_error: isError === true } as const,
        text: text.slice(0, MOST_TEXT).toWellFormed(),
        truncated: text.length > MOST_TEXT,
      };
    });
  }

  /** Ends what is open. */
  stop(): void {
    this.#stop.abort(new Error("KVM Manager stops"));
  }

  async #with<T>(tool: StoredTool, run: (client: Client, signal: AbortSignal) => Promise<T>): Promise<T> {
    const { id, name, url, secret, privateAddresses, unread } = tool;
    const fail = (reason: string, cause?: unknown) =>
      new ContractError("ToolFailed", { tool: `mcp ${name}`, reason }, { cause });
    if (unread !== undefined) throw fail("its secrets cannot be read: kvm-manager credential list says why");
    if (url === undefined) throw fail("it has no address");
    using _place = this.#place(id, name);
    const late = AbortSignal.timeout(this.callMs), tooLong = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, late, tooLong.signal]);
    const [{ Client }, { StreamableHTTPClientTransport }] = await Promise.all([
      import("@modelcontextprotocol/sdk/client/index.js"),
      import("@modelcontextprotocol/sdk/client/streamableHttp.js"),
    ]);
    const transport = new StreamableHTTPClientTransport(new URL(url), {
      fetch: outboundFetch(privateAddresses, signal, (error) => tooLong.abort(error), this.resolve),
      ...(secret !== undefined && { requestInit: { headers: { authorization: `Bearer ${secret}` } } }),
      reconnectionOptions: {
        maxRetries: 0,
        initialReconnectionDelay: 1000,
        maxReconnectionDelay: 1000,
        reconnectionDelayGrowFactor: 1,
      },
    });
    const client = new Client({ name: "kvm-manager", version: VERSION });
    const over = new Promise<never>((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason), { once: true })
    );
    over.catch(() => {/* told by the race, where it is still on */});
    try {
      return await Promise.race([
        (async () => {
          // The SDK's own type of a transport has fields that may be undefined, and its class has not
          await client.connect(transport as Parameters<Client["connect"]>[0], {
            signal,
            timeout: this.callMs,
          });
          return await run(client, signal);
        })(),
        over,
      ]);
    } catch (error) {
      const reason = late.aborted && signal.reason === late.reason
        ? `it did not answer within ${this.callMs / 1000} seconds`
        : outboundRefusal(error) ?? oneLine(messageOf(error), 300);
      throw fail(reason, error);
    } finally {
      const goodbye = async () => {
        await transport.terminateSession().catch(
          () => {/* it may have ended by itself, and ends by its own time */},
        );
        await client.close();
      };
      await within(CLOSE_MS, goodbye().catch(() => {/* what is open is cut below, by its time limit */}));
    }
  }

  /** @throws {ContractError} TooManyRequests */
  #place(id: string, name: string): Disposable {
    const own = this.#open.get(id) ?? 0, all = [...this.#open.values()].reduce((a, b) => a + b, 0);
    if (own >= MOST_AT_ONCE.server || all >= MOST_AT_ONCE.all) {
      const limit = own >= MOST_AT_ONCE.server ? MOST_AT_ONCE.server : MOST_AT_ONCE.all;
      throw new ContractError("TooManyRequests", { what: message`calls of mcp ${name} at once`, limit });
    }
    this.#open.set(id, own + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#open.get(id) ?? 1) - 1;
        if (left === 0) this.#open.delete(id);
        else this.#open.set(id, left);
      },
    };
  }
}
