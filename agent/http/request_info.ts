/** What travels beside a request through the app: by which door it came. */
import type { Door } from "../access.ts";

interface RequestInfo extends Deno.ServeHandlerInfo {
  readonly door: Door;
}

/** For the listeners. The client's address is not passed on: nothing may depend on it (proxies, tunnels). */
export function requestInfo(door: Door): RequestInfo {
  return { door, remoteAddr: { transport: "tcp", hostname: "", port: 0 }, completed: Promise.resolve() };
}

/** For the routes. A request made in-process came by no listener, and counts as a program's. */
export function doorOf(info: Deno.ServeHandlerInfo): Door {
  return "door" in info ? (info as RequestInfo).door : "api";
}
