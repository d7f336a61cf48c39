/** HTTPS to a server whose certificate is its own word: it is spoken to where it shows the one that a person has compared. */
import { requireOutside } from "./outside.ts";
import { Agent } from "node:http";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { connected, shownCertificate } from "./node_connection.ts";

/** Milliseconds for a connection. */
const CONNECT_MS = 15_000;
/** Milliseconds that a connection which is not used is kept, and connections at once. */
const IDLE_MS = 20_000, MOST_CONNECTIONS = 8;

/** Address of a server. */
export interface TlsPlace {
  /** Its name or address, without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
  /** The address that was judged. */
  readonly address: string;
}

/** It shows another certificate. */
export class OtherCertificate extends Error {
  override readonly name = "OtherCertificate";
  /** @param shown SHA-256, 64 hexadecimal digits */
  constructor(readonly shown: string) {
    super("it shows another certificate than before");
  }
}

/** A connection, whoever answers. @throws what the system or TLS says */
async function anyone({ host, port, address }: TlsPlace): Promise<TLSSocket> {
  const to = {
    host: address,
    port,
    ...(isIP(host) === 0 && { servername: host }),
    // What it shows is compared instead
    rejectUnauthorized: false,
  };
  requireOutside();
  return await connected(connectTls(to), "secureConnect", CONNECT_MS);
}

/** SHA-256 of the certificate that a server shows, 64 hexadecimal digits; nothing is sent to it. @throws what the system or TLS says */
export async function certificateAt(place: TlsPlace): Promise<string> {
  const socket = await anyone(place);
  try {
    return shownCertificate(socket);
  } finally {
    socket.destroy();
  }
}

/** A connection that is believed by its certificate. @param fingerprint SHA-256, 64 hexadecimal digits @throws {OtherCertificate} @throws what the system or TLS says */
export async function believedSocket(place: TlsPlace, fingerprint: string): Promise<TLSSocket> {
  const socket = await anyone(place), shown = shownCertificate(socket);
  if (shown === fingerprint) return socket;
  socket.destroy();
  throw new OtherCertificate(shown);
}

/**
 * Connections for `sendRequest()`, each of which is believed by its certificate.
 *
 * @param fingerprint SHA-256, 64 hexadecimal digits
 */
export function pinnedAgent(place: TlsPlace, fingerprint: string): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: MOST_CONNECTIONS, timeout: IDLE_MS });
  // Node's types have no method for it
  Object.assign(agent, {
    createConnection: (_options: unknown, done: (error: unknown, socket?: Duplex) => void) =>
      void believedSocket(place, fingerprint).then((socket) => done(null, socket), (error) => done(error)),
  });
  return agent;
}
