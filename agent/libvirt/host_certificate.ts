/**
 * Why libvirt refuses the certificate of a host: it says the same of one that has expired and of one of another CA. The
 * certificate is looked at on a connection of its own, on which nothing is sent.
 */
import { isIP } from "node:net";
import { connect } from "node:tls";
import type { LibvirtError } from "../../ffi/error.ts";
import type { Clock } from "../clock.ts";
import { log } from "../log.ts";
import { connected } from "../outbound/node_connection.ts";
import { invalidNowText, isCertificateRefused, unavailableText } from "./unavailable.ts";

/** Milliseconds that the look may take. */
const LOOK_MS = 5000;
/** The port of libvirt with TLS. */
const TLS_PORT = 16514;

/** When a certificate is valid, in milliseconds since 1970. */
interface Validity {
  readonly from: number;
  readonly to: number;
}

/** Problem with the times of a certificate, a clause; undefined if there is none. */
function timeProblem({ from, to }: Validity, now: number): string | undefined {
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  if (to < now) return `it expired on ${day(to)}`;
  return from > now ? `it is not valid before ${day(from)}` : undefined;
}

/** @throws errors of the system or of TLS */
async function validityAt(uri: string): Promise<Validity> {
  const { hostname, port } = new URL(uri), host = hostname.replace(/^\[|\]$/g, "");
  const to = { host, port: Number(port || TLS_PORT), ...(isIP(host) === 0 && { servername: host }) };
  const socket = await connected(connect({ ...to, rejectUnauthorized: false }), "secureConnect", LOOK_MS);
  try {
    const { valid_from, valid_to } = socket.getPeerCertificate();
    return { from: Date.parse(valid_from), to: Date.parse(valid_to) };
  } finally {
    socket.destroy();
  }
}

/** Why libvirt cannot be reached, as {@link unavailableText} says it; of a certificate, also whether its time is over. */
export async function failureText(
  error: LibvirtError,
  uri: string,
  clock: Pick<Clock, "now">,
): Promise<string> {
  if (!isCertificateRefused(error)) return unavailableText(error, uri);
  try {
    const problem = timeProblem(await validityAt(uri), clock.now());
    if (problem !== undefined) return invalidNowText(error, problem);
  } catch (cause) {
    log.debug("the certificate of a libvirt cannot be looked at", { error: cause });
  }
  return unavailableText(error, uri);
}
