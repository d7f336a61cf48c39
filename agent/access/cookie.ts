/**
 * The session's cookie. Over TLS it is `__Host-`: no other host, path or plain connection can set or read it. On
 * loopback without TLS browsers disagree on such cookies (Chromium takes them on http://127.0.0.1, Safari does not),
 * so there it has a plain name with the port in it: cookies know no ports, and two servers would share one.
 */
import { parse } from "hono/utils/cookie";
import { SESSION_MS } from "./credentials.ts";

/** How the browser reached us. */
export interface Reached {
  readonly secure: boolean;
  /** Of the address the browser used; empty for the usual one. */
  readonly port: string;
}

const nameOf = ({ secure, port }: Reached) => secure ? "__Host-kvmm" : `kvmm-${port || "80"}`;

/** The session's secret in a request; undefined without one. */
export function sessionIn(headers: Headers, reached: Reached): string | undefined {
  const header = headers.get("cookie");
  if (header === null) return undefined;
  const name = nameOf(reached);
  const value = parse(header, name)[name];
  return value !== undefined && /^[\w-]{43}$/.test(value) ? value : undefined;
}

/** The Set-Cookie that keeps a session, or ends it. */
export function cookieFor(secret: string | null, reached: Reached): string {
  const parts = [
    `${nameOf(reached)}=${secret ?? ""}`,
    "Path=/",
    "HttpOnly",
    "SameSite=Lax",
    `Max-Age=${secret === null ? 0 : SESSION_MS.absolute / 1000}`,
  ];
  return [...parts, ...(reached.secure ? ["Secure"] : [])].join("; ");
}
