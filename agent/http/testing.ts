/** Shared by tests of listeners. */

/**
 * A request for a WebSocket, written by hand: for those that must not be read, or be refused.
 *
 * @param url of the listener, without a slash behind it
 * @param origin of the page that asks
 */
export function upgradeRequest(
  url: string,
  { origin = url, protocol = "websocket" } = {},
): string {
  const head = [
    "GET /console HTTP/1.1",
    `Host: ${new URL(url).host}`,
    `Origin: ${origin}`,
    "Connection: Upgrade",
    `Upgrade: ${protocol}`,
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ];
  return `${head.join("\r\n")}\r\n\r\n`;
}
