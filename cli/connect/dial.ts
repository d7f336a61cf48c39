/** Connections to a server by Node's sockets: TLS, WebSockets, bodies of known length. Loaded when they are needed. */
import { createHash } from "node:crypto";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { connect as connectSocket, isIP } from "node:net";
import { type Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { messageOf } from "../../lib/text/message.ts";
import type { ServerRequest } from "./server.ts";
import type { Target } from "./target.ts";
import { shownFingerprint, UntrustedError } from "./untrusted.ts";

/** Milliseconds a connection may take to come about. */
const CONNECT_MS = 15_000;

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

/** Opens a connection. @throws what the system or TLS says */
export async function dial(target: Target): Promise<Duplex> {
  if (target.kind === "socket") return await connected(connectSocket({ path: target.path }), "connect");
  if (target.url.protocol === "https:") return await dialTls(target);
  const { hostname, port } = target.url;
  const host = hostname.replace(/^\[|\]$/g, "");
  return await connected(connectSocket({ host, port: Number(port || 80) }), "connect");
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

/** Sends a request on a connection of its own. @throws what the system or TLS says */
export async function requestOn(
  line: Duplex,
  path: string,
  { method = "GET", headers = {}, body, signal }: ServerRequest,
): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const asked = httpRequest({
    method,
    path,
    createConnection: () => line,
    headers: { connection: "close", ...headers },
    ...(signal && { signal }),
  }, (message) => resolve(responseOf(message)));
  asked.once("error", reject);
  if (body instanceof ReadableStream) {
    // The server may answer, and hang up, before it has taken everything: its answer is what counts.
    pipeline(Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]), asked).catch(reject);
  } else asked.end(body);
  return await promise;
}
