/** What travels beside a request through the app: by which door it came, and from where. */
import type { Caller } from "../access/mod.ts";
import type { Door, SocketPeer } from "../access.ts";

interface RequestInfo extends Deno.ServeHandlerInfo {
  readonly door: Door;
  readonly peer: SocketPeer | undefined;
}

/** For the listeners. Behind a proxy or a tunnel the address is theirs: it slows guessing down, and grants nothing. */
export function requestInfo(door: Door, address: string, peer?: SocketPeer): RequestInfo {
  const remoteAddr = { transport: "tcp", hostname: address, port: 0 } as const;
  return { door, peer, remoteAddr, completed: Promise.resolve() };
}

/** For the routes. A request made in-process came by no listener, and counts as a program's. */
export function callerOf(info: Deno.ServeHandlerInfo): Caller {
  const address = info.remoteAddr.transport === "tcp" ? info.remoteAddr.hostname : "";
  if (!("door" in info)) return { door: "api", address: "" };
  const { door, peer } = info as RequestInfo;
  return { door, address, peer };
}
