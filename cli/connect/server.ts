/** A connection to the server: commands, requests with content, and lines for WebSockets. */
import { message, render } from "../../lib/i18n/message.ts";
import { locale } from "../../lib/i18n/locale.ts";
import { readStaleHosts, STALE_HOSTS_HEADER } from "../../lib/rest/stale_hosts.ts";
import { formatSpan } from "../../lib/text/time.ts";
import type { Duplex } from "node:stream";
import { ApiError, call } from "../../lib/client/api.ts";
import { followCommand, type ToldLine } from "../../lib/client/follow.ts";
import { messageOf } from "../../lib/text/message.ts";
import type { ServerRequest } from "./server_request.ts";
import type { Target } from "./target.ts";

/** A server. */
export interface Server {
  /** For people: its socket or address. */
  readonly name: string;
  /** It is this host's, at its socket. */
  readonly isHere: boolean;
  /** Origin of its pages: `http://localhost` at the socket. */
  readonly origin: string;
  /** The host that is meant where a call names none; undefined for the one it runs on. */
  readonly host: string | undefined;
  /** The same with the path it is below, behind a proxy. */
  readonly base: string;
  /** Calls a command by its wire name. @throws {ApiError} */
  call(command: string, input: unknown): Promise<unknown>;
  /** Calls a command that tells what comes while it works. @returns its result @throws {ApiError} */
  follow(command: string, input: unknown, told: (line: ToldLine) => Promise<void>): Promise<unknown>;
  /** @throws {ApiError} Unreachable */
  request(path: string, request?: ServerRequest): Promise<Response>;
  /** A fresh connection, for whoever speaks on it themselves; and what to say to be let in. @throws {ApiError} Unreachable */
  line(): Promise<{ readonly line: Duplex; readonly headers: Readonly<Record<string, string>> }>;
}

function unreachable(target: Target, error: unknown): ApiError {
  const why = messageOf(error);
  if (target.kind === "remote") {
    const unreached = new ApiError(
      "Unreachable",
      render(message`${target.url.origin} cannot be reached: ${why}`),
    );
    unreached.cause = error;
    return unreached;
  }
  const { code } = error as { code?: string };
  if (code === "EACCES" || error instanceof Deno.errors.PermissionDenied) {
    return new ApiError(
      "PermissionDenied",
      render(
        message`${target.path} may be used by root and its group alone (serve --socket-group). Ask to become a member of it`,
      ),
    );
  }
  return new ApiError(
    "Unreachable",
    render(message`no server answers on ${target.path}. Is kvm-manager serve running?`),
  );
}

/** Whether the socket itself can be connected to: why not, in the system's error. */
async function socketProblem(path: string): Promise<unknown> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Sends a request to the socket by the runtime's own client, which is there without loading anything. */
async function requestAtSocket(
  socket: string,
  url: string,
  { method = "GET", headers = {}, body, signal }: ServerRequest,
): Promise<Response> {
  // A connection is for one request: nothing stays open behind it.
  using client = Deno.createHttpClient({ proxy: { transport: "unix", path: socket }, poolMaxIdlePerHost: 0 });
  try {
    return await fetch(url, {
      client,
      method,
      headers: { ...headers },
      ...(body !== undefined && { body }),
      ...(signal && { signal }),
      redirect: "manual",
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw await socketProblem(socket) ?? error;
  }
}

/** Reports a note about an answer, in addition to the answer itself. */
export type Note = (text: string) => void;

/** Says which hosts a list has nothing of. @param ids as the answer's head has them */
function noteMissingHosts(ids: string | null, note: Note): void {
  if (ids === null) return;
  note(
    render(
      message`Nothing of these hosts is here, as they do not answer: ${ids}. See: kvm-manager host list`,
    ),
  );
}

/** Says how old what is listed of hosts is. @param text as the answer's head has it */
function noteStaleHosts(text: string | null, note: Note): void {
  const hosts = readStaleHosts(text ?? "");
  if (hosts.length === 0) return;
  const ages = hosts.map(({ id, age }) => render(message`${id} (${formatSpan(age * 1000)} ago)`));
  note(render(message`These hosts do not answer, and are shown as they were: ${ages.join(", ")}.`));
}

/**
 * The server of a target. Nothing is connected before something is asked.
 *
 * @param note told what is missing or old in a list; it goes to standard error when left out
 */
export function serverOf(target: Target, note: Note = (text) => console.error(text)): Server {
  const isSocket = target.kind === "socket";
  const origin = isSocket ? "http://localhost" : target.url.origin;
  const below = isSocket ? "" : target.url.pathname.replace(/\/$/, "");
  const signedIn: Record<string, string> = isSocket ? {} : { authorization: `Bearer ${target.token}` };
  const dialled = async () => {
    const { dial } = await import("./dial.ts");
    try {
      return await dial(target);
    } catch (error) {
      throw unreachable(target, error);
    }
  };
  const request = async (path: string, asked: ServerRequest = {}) => {
    const request = { ...asked, headers: { "accept-language": locale(), ...asked.headers } };
    const { signal, body } = request;
    try {
      // A stream's length is told first, which the runtime's client has no way for.
      if (isSocket && !(body instanceof ReadableStream)) {
        return await requestAtSocket(target.path, origin + path, request);
      }
      const line = await dialled();
      const { requestOn } = await import("./dial.ts");
      const headers = { host: new URL(origin).host, ...signedIn, ...request.headers };
      return await requestOn(line, below + path, { ...request, headers });
    } catch (error) {
      if (error instanceof ApiError) throw error;
      throw signal?.aborted ? signal.reason : unreachable(target, error);
    }
  };
  const send = (command: string, input: unknown, accept?: string) => {
    const body = JSON.stringify(input);
    const on = target.host === undefined ? "" : `?host=${encodeURIComponent(target.host)}`;
    return request(`/api/v1/commands/${encodeURIComponent(command)}${on}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(accept !== undefined && { accept }) },
      body,
    });
  };
  return {
    name: isSocket ? target.path : target.url.origin,
    isHere: isSocket,
    origin,
    base: origin + below,
    host: target.host,
    request,
    follow: (name, input, told) => followCommand(name, input, told, send),
    line: async () => ({ line: await dialled(), headers: signedIn }),
    call: async (name, input) => {
      let said: unknown;
      try {
        return await call(name, input, async (command, body) => {
          try {
            const response = await send(command, body);
            noteMissingHosts(response.headers.get("x-missing-hosts"), note);
            noteStaleHosts(response.headers.get(STALE_HOSTS_HEADER), note);
            return response;
          } catch (error) {
            said = error;
            throw error;
          }
        });
      } catch (error) {
        throw said instanceof ApiError ? said : error;
      }
    },
  };
}
