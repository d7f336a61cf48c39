/** Addresses to listen on, as the settings write them. */
import { message, render } from "../i18n/message.ts";
import { parseAddress } from "../formats/ip/cidr.ts";

/** Address and port of a listener, and whether it speaks TLS there. */
export interface ListenAddress {
  readonly secure: boolean;
  readonly hostname: string;
  readonly port: number;
}

/** Whether an address is this host's own and reachable from nowhere else. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || hostname === "[::1]" ||
    (hostname.startsWith("127.") && parseAddress(hostname)?.family === 4);
}

/** Whether it stands for every address of the host. */
export const isAnyAddress = (hostname: string) => hostname === "0.0.0.0" || hostname === "[::]";

/** Splits `host:port`. @throws {Error} */
export function parseHostPort(at: string): { hostname: string; port: number } {
  const match = /^(\[[0-9a-fA-F:]+\]|[^:\s[\]/@]+):(\d{1,5})$/.exec(at);
  const port = Number(match?.[2]);
  if (!match || port > 65535) {
    throw new Error(render(message`${JSON.stringify(at)} is not an address like 127.0.0.1:8440`));
  }
  return { hostname: match[1]!, port };
}

/**
 * Reads an address of the settings: TLS everywhere but on loopback, where `https://` in front asks for it.
 *
 * @throws {Error} when it is none, or would send passwords over the network in the clear
 */
export function parseListen(at: string): ListenAddress {
  const [, scheme, rest = ""] = /^(?:(https?):\/\/)?(.*?)\/?$/s.exec(at) ?? [];
  const address = parseHostPort(rest);
  const secure = scheme === undefined ? !isLoopback(address.hostname) : scheme === "https";
  if (secure || isLoopback(address.hostname)) return { secure, ...address };
  throw new Error(
    render(
      message`refusing to listen on ${at}: without TLS passwords would go over the network in the clear. Use --listen ${rest}, which serves HTTPS`,
    ),
  );
}
