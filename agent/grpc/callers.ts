/** Callers by gRPC: an API token in the metadata, or the user at the UNIX socket. No session of a browser. */
import type { Metadata } from "@grpc/grpc-js";
import { ContractError } from "../../lib/contract/errors.ts";
import type { Principal, SocketPeer } from "../access.ts";
import type { Access } from "../access/mod.ts";
import { ofConnection } from "../http/connections.ts";
import { clientSubnet, isShared, type Rate, REQUEST_RATE } from "../limits.ts";

/** By what somebody is let in; a linked KVM Manager has its own way. */
const OPENED_BY: ReadonlySet<Principal["via"]> = new Set(["token", "socket", "demo", "nobody"]);
/** Heads that browsers send and no page can leave out: a page has no business here. */
const OF_BROWSERS = ["origin", "sec-fetch-site"];

/** Origin of a call. */
export interface Origin {
  /** IP address; empty at the socket. */
  readonly address: string;
  readonly peer: SocketPeer | undefined;
  /** Ties the request that stands for the call to its connection. */
  readonly remember: (request: Request) => void;
}

/** A head of a call. */
export function headOf(metadata: Metadata, name: string): string | undefined {
  const [value] = metadata.get(name);
  return typeof value === "string" ? value : undefined;
}

/**
 * Principal of a call.
 *
 * @param isOpen whether it needs no sign-in
 * @throws {ContractError} NotSignedIn, TokenInvalid, TooManyRequests, ForeignOrigin
 */
export function callerOf(
  access: Pick<Access, "identify">,
  metadata: Metadata,
  { address, peer, remember }: Origin,
  { isOpen, rate }: { readonly isOpen: boolean; readonly rate: Rate },
): Principal {
  const foreign = OF_BROWSERS.map((name) => headOf(metadata, name)).find((value) => value !== undefined);
  if (foreign !== undefined) throw new ContractError("ForeignOrigin", { origin: foreign.slice(0, 128) });
  if (!isShared(address) && !rate.take(clientSubnet(address))) {
    throw new ContractError("TooManyRequests", {
      what: "requests of this address",
      limit: `${REQUEST_RATE.perSecond} a second`,
    });
  }
  const headers = new Headers();
  for (const name of ["authorization", "user-agent"]) {
    const value = headOf(metadata, name);
    if (value !== undefined) headers.set(name, value);
  }
  const request = new Request("http://grpc/", { headers });
  remember(request);
  const door = peer === undefined ? "grpc" : "socket";
  const known = access.identify(request, { door, address, peer, ...ofConnection(request) });
  if (!OPENED_BY.has(known.via) || (known.via === "nobody" && !isOpen)) {
    throw new ContractError("NotSignedIn");
  }
  return { ...known, door: "grpc", client: headers.get("user-agent")?.slice(0, 200) ?? "" };
}
