/** Address of a request's other end. */

/** The other end's IP address; an IPv4 one as such, also where the listener is IPv6's. */
export function peerAddress(
  { socket }: { readonly socket: { readonly remoteAddress?: string | undefined } },
): string {
  return (socket.remoteAddress ?? "").replace(/^::ffff:/, "");
}
