/**
 * The session's cookie. Over TLS it is `__Host-`: no other host, path or plain connection can set or read it. On
 * loopback without TLS browsers disagree on such cookies (Chromium takes them on http://127.0.0.1, Safari does not),
 * so there it has a plain name. The port is part of either: cookies know no ports, and two servers on one host would
 * share one.
 */
import { parse } from "hono/utils/cookie";
import { SESSION_MS } from "./credentials.ts";
import { DAY_MS } from "../../lib/duration.ts";

/** How the browser reached us. */
export interface Reached {
  readonly secure: boolean;
  /** Of the address the browser used; empty for the usual one. */
  readonly port: string;
}

const named = (name: string, { secure, port }: Reached) =>
  secure ? `__Host-${name}${port === "" ? "" : `-${port}`}` : `${name}-${port || "80"}`;
const nameOf = (reached: Reached) => named("kvmm", reached);

/** Milliseconds a device is known without a sign-in: browsers keep no cookie longer. */
const DEVICE_MS = 400 * DAY_MS;
const deviceName = (reached: Reached) => named("kvmm-device", reached);

/** The session's secret in a request; undefined without one. */
export const sessionIn = (headers: Headers, reached: Reached) => secretIn(headers, nameOf(reached));

/** The device's secret in a request; undefined without one. */
export const deviceIn = (headers: Headers, reached: Reached) => secretIn(headers, deviceName(reached));

function secretIn(headers: Headers, name: string): string | undefined {
  const header = headers.get("cookie");
  if (header === null) return undefined;
  const value = parse(header, name)[name];
  return value !== undefined && /^[\w-]{43}$/.test(value) ? value : undefined;
}

/** The Set-Cookie that keeps a session, or ends it. */
export function cookieFor(secret: string | null, reached: Reached): string {
  return kept(nameOf(reached), secret ?? "", secret === null ? 0 : SESSION_MS.absolute, reached);
}

/** The Set-Cookie by which a device is known at its next sign-in. It opens nothing. */
export function deviceCookie(secret: string, reached: Reached): string {
  return kept(deviceName(reached), secret, DEVICE_MS, reached);
}

function kept(name: string, secret: string, ms: number, reached: Reached): string {
  const parts = [
    `${name}=${secret}`,
    "Path=/",
    "HttpOnly",
    "SameSite=Lax",
    `Max-Age=${ms / 1000}`,
  ];
  return [...parts, ...(reached.secure ? ["Secure"] : [])].join("; ");
}
