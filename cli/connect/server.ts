/** A connection to the server: commands, requests with content, and lines for WebSockets. */
import { createHash } from "node:crypto";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { connect as connectSocket, isIP } from "node:net";
import { type Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { ApiError, call } from "../../lib/client/api.ts";
import { messageOf } from "../../lib/message.ts";
import type { Target } from "./target.ts";

/** Milliseconds a connection may take to come about. */
const CONNECT_MS = 15_000;

/** A request; the path is below the server's. */
export interface ServerRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | ReadableStream<Uint8Array>;
  readonly signal?: AbortSignal;
}

/** A server. */
export interface Server {
  /** For people: its socket or address. */
  readonly name: string;
  /** What a page of it would be at: `http://localhost` at the socket. */
  readonly origin: string;
  /** The same with the path it is below, behind a proxy. */
  readonly base: string;
  /** Calls a command by its wire name. @throws {ApiError} */
  call(command: string, input: unknown): Promise<unknown>;
  /** @throws {ApiError} Unreachable */
  request(path: string, request?: ServerRequest): Promise<Response>;
  /** A fresh connection, for whoever speaks on it themselves; and what to say to be let in. @throws {ApiError} Unreachable */
  line(): Promise<{ readonly line: Duplex; readonly headers: Readonly<Record<string, string>> }>;
}

/** SHA-256 of a certificate, as people compare it: `AB:CD:…`. */
export function shownFingerprint(digits: string): string {
  return digits.toUpperCase().match(/../g)!.join(":");
}

/** The server's certificate is not one to trust. */
export class UntrustedError extends Error {
  override readonly name = "UntrustedError";
  /** @param fingerprint of the certificate that was shown, 64 hexadecimal digits */
  constructor(message: string, readonly fingerprint: string) {
    super(message);
  }
}

/** Waits until a socket is connected. */
async function connected<S extends Duplex>(socket: S, event: string): Promise<S> {
  const { promise, resolve, reject } = Promise.withResolvers<S>();
  const timer = setTimeout(() => reject(new Error("it took too long")), CONNECT_MS);
  socket.once(event, () => resolve(socket));
  socket.once("error", reject);
  try {
    return await promise;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    socket.removeListener("error", reject);
    // Whoever uses the line listens themselves; one that breaks between must not end the program.
    socket.on("error", () => {});
  }
}

/** The certificate a server shows, as SHA-256. */
const shownBy = (socket: TLSSocket) =>
  createHash("sha256").update(socket.getPeerCertificate().raw ?? "").digest("hex");

/** Opens a TLS connection to a server that is who it says. @throws {UntrustedError} */
async function dialTls({ url, ca, fingerprint }: Target & { kind: "remote" }): Promise<Duplex> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const to = { host, port: Number(url.port || 443), ...(isIP(host) === 0 && { servername: host }) };
  if (fingerprint !== undefined) {
    // The certificate itself is the trust: it is compared before a byte is sent.
    const socket = await connected(connectTls({ ...to, rejectUnauthorized: false }), "secureConnect");
    const shown = shownBy(socket);
    if (shown === fingerprint) return socket;
    socket.destroy();
    throw new UntrustedError(
      `its certificate is another one (${
        shownFingerprint(shown)
      }). Either it was renewed, or this is not your server`,
      shown,
    );
  }
  try {
    return await connected(connectTls({ ...to, ...(ca !== undefined && { ca }) }), "secureConnect");
  } catch (error) {
    const why = messageOf(error);
    if (!/certificate|altname|issuer|self.signed|CERT_/i.test(why)) throw error;
    const socket = await connected(connectTls({ ...to, rejectUnauthorized: false }), "secureConnect");
    const shown = shownBy(socket);
    socket.destroy();
    throw new UntrustedError(
      `its certificate cannot be trusted (${why}). If it is your server's own, say --fingerprint ${
        shownFingerprint(shown)
      }`,
      shown,
    );
  }
}

async function dial(target: Target): Promise<Duplex> {
  if (target.kind === "socket") return await connected(connectSocket({ path: target.path }), "connect");
  if (target.url.protocol === "https:") return await dialTls(target);
  const { hostname, port } = target.url;
  const host = hostname.replace(/^\[|\]$/g, "");
  return await connected(connectSocket({ host, port: Number(port || 80) }), "connect");
}

function unreachable(target: Target, error: unknown): ApiError {
  const why = messageOf(error);
  if (target.kind === "remote") {
    const unreached = new ApiError("Unreachable", `${target.url.origin} cannot be reached: ${why}`);
    unreached.cause = error;
    return unreached;
  }
  const { code } = error as { code?: string };
  if (code === "EACCES") {
    return new ApiError(
      "PermissionDenied",
      `${target.path} may be used by root and its group alone (serve --socket-group). Ask to become a member of it`,
    );
  }
  return new ApiError("Unreachable", `no server answers on ${target.path}. Is kvm-manager serve running?`);
}

/** An answer as the web's. */
function responseOf(message: IncomingMessage): Response {
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headers)) {
    for (const each of [value ?? []].flat()) headers.append(name, each);
  }
  const hasBody = message.statusCode !== 204 && message.statusCode !== 304;
  const body = hasBody ? Readable.toWeb(message) as unknown as ReadableStream<Uint8Array> : null;
  return new Response(body, { status: message.statusCode ?? 502, headers });
}

/** The server of a target. Nothing is connected before something is asked. */
export function serverOf(target: Target): Server {
  const isSocket = target.kind === "socket";
  const origin = isSocket ? "http://localhost" : target.url.origin;
  const below = isSocket ? "" : target.url.pathname.replace(/\/$/, "");
  const signedIn: Record<string, string> = isSocket ? {} : { authorization: `Bearer ${target.token}` };
  const dialled = async () => {
    try {
      return await dial(target);
    } catch (error) {
      throw unreachable(target, error);
    }
  };
  const request = async (path: string, { method = "GET", headers, body, signal }: ServerRequest = {}) => {
    const line = await dialled();
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const asked = httpRequest({
      method,
      path: below + path,
      createConnection: () => line,
      headers: { host: new URL(origin).host, connection: "close", ...signedIn, ...headers },
      ...(signal && { signal }),
    }, (message) => resolve(responseOf(message)));
    asked.once("error", (error) => reject(signal?.aborted ? signal.reason : unreachable(target, error)));
    if (body instanceof ReadableStream) {
      // The server may answer, and hang up, before it has taken everything: its answer is what counts.
      pipeline(Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]), asked).catch((error) => {
        reject(unreachable(target, error));
      });
    } else asked.end(body);
    return await promise;
  };
  const send = (command: string, input: unknown) => {
    const body = JSON.stringify(input);
    return request(`/api/v1/commands/${encodeURIComponent(command)}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "content-length": String(new TextEncoder().encode(body).length),
      },
      body,
    });
  };
  return {
    name: isSocket ? target.path : target.url.origin,
    origin,
    base: origin + below,
    request,
    line: async () => ({ line: await dialled(), headers: signedIn }),
    call: async (name, input) => {
      let said: unknown;
      try {
        return await call(name, input, async (command, body) => {
          try {
            return await send(command, body);
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
