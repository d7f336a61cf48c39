/** Connections to a server by Node's sockets: TLS, WebSockets, bodies of known length. Loaded when they are needed. */
import { connect as connectSocket, isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { connected, sendRequest, shownCertificate } from "../../agent/outbound/node_connection.ts";
import { message, render } from "../../lib/i18n/message.ts";
import { messageOf } from "../../lib/text/message.ts";
import type { ServerRequest } from "./server_request.ts";
import type { Target } from "./target.ts";
import { shownFingerprint, UntrustedError } from "./untrusted.ts";

/** Opens a TLS connection to a server that is who it says. @throws {UntrustedError} */
async function dialTls({ url, ca, fingerprint }: Target & { kind: "remote" }): Promise<Duplex> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const to = { host, port: Number(url.port || 443), ...(isIP(host) === 0 && { servername: host }) };
  if (fingerprint !== undefined) {
    // The certificate itself is the trust: it is compared before a byte is sent.
    const socket = await connected(connectTls({ ...to, rejectUnauthorized: false }), "secureConnect");
    const shown = shownCertificate(socket);
    if (shown === fingerprint) return socket;
    socket.destroy();
    throw new UntrustedError(
      render(
        message`its certificate is another one (${
          shownFingerprint(shown)
        }). Either it was renewed, or this is not your server`,
      ),
      shown,
    );
  }
  try {
    return await connected(connectTls({ ...to, ...(ca !== undefined && { ca }) }), "secureConnect");
  } catch (error) {
    const why = messageOf(error);
    if (!/certificate|altname|issuer|self.signed|CERT_/i.test(why)) throw error;
    const socket = await connected(connectTls({ ...to, rejectUnauthorized: false }), "secureConnect");
    const shown = shownCertificate(socket);
    socket.destroy();
    throw new UntrustedError(
      render(
        message`its certificate cannot be trusted (${why}). If it is your server's own, say --fingerprint ${
          shownFingerprint(shown)
        }`,
      ),
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

/** Sends a request on a connection of its own. @throws what the system or TLS says */
export async function requestOn(
  line: Duplex,
  path: string,
  { method = "GET", headers = {}, body, signal }: ServerRequest,
): Promise<Response> {
  return await sendRequest({
    method,
    path,
    createConnection: () => line,
    headers: { connection: "close", ...headers },
    ...(signal && { signal }),
  }, body);
}
