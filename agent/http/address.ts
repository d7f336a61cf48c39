/** Where a request comes from. */
import type { IncomingMessage } from "node:http";

/** The other end's IP address; an IPv4 one as such, also where the listener is IPv6's. */
export function addressOf({ socket }: Pick<IncomingMessage, "socket">): string {
  return (socket.remoteAddress ?? "").replace(/^::ffff:/, "");
}
