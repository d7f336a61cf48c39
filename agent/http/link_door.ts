/** `/api/link/…`: where another KVM Manager shows who it is. Only over TLS: what is signed is the connection's certificate. */
import { fits } from "typebox/compile";
import type { TSchema } from "typebox";
import { ContractError } from "../../lib/contract/errors.ts";
import { Hello, Join, LINK_PATHS, Open } from "../../lib/host/link_protocol.ts";
import type { Caller } from "../access/mod.ts";
import { ANONYMOUS_BODY_LIMIT, readJson } from "./body.ts";
import { errorResponse } from "./guard.ts";
import { jsonResponse } from "./rest.ts";
import type { ActivityLog } from "../store/activity.ts";
import type { RejectedCallLog } from "../store/rejected_call_log.ts";
import type { PeerRecord } from "../hosts/linked/peer_records.ts";
import type { Peers } from "../hosts/linked/peers.ts";

/** Services for `/api/link/…`: peers, our certificate, records of calls, and joining a peer that has joined here. */
export interface LinkDoor {
  readonly peers: Peers;
  /** SHA-256 of the certificate that serves, in hexadecimal digits; undefined where there is no TLS. */
  readonly certificate: () => string | undefined;
  readonly activity: Pick<ActivityLog, "record">;
  readonly refusals: Pick<RejectedCallLog, "add">;
  readonly peersChanged: () => void;
  /** Links the one that has joined here as well. Its answer does not wait for that. */
  readonly joinBack: (peer: PeerRecord, invitation: string) => void;
}

/** Why somebody was not let in: those that the audit log has. */
const AUDITED: ReadonlySet<string> = new Set(["InvitationRefused", "LinkRefused"]);

type Ask = (door: LinkDoor, input: never, certificate: string, caller: Caller) => Promise<unknown>;

const ASKED: Readonly<Record<string, { readonly schema: TSchema; readonly ask: Ask }>> = {
  [LINK_PATHS.hello]: {
    schema: Hello,
    ask: ({ peers }, { challenge }: Hello, certificate) => peers.hello(challenge, certificate),
  },
  [LINK_PATHS.join]: { schema: Join, ask: join },
  [LINK_PATHS.session]: {
    schema: Open,
    ask: ({ peers }, input: Open, certificate) => peers.open(input, certificate),
  },
};

async function join(door: LinkDoor, input: Join, certificate: string, { address }: Caller): Promise<unknown> {
  const { peer, both, ...session } = await door.peers.join(input, certificate);
  door.activity.record({
    actor: peer.invitedBy,
    door: "api",
    action: "peer-joined",
    result: "event",
    message: { $text: "{name} linked to this host, as {role}", args: { name: peer.name, role: peer.role } },
    ...(address !== "" && { address }),
  });
  door.peersChanged();
  if (both && input.back !== undefined) door.joinBack(peer, input.back);
  return session;
}

/** Has the audit log say that somebody was not let in. */
function refused({ refusals }: LinkDoor, error: ContractError, { address }: Caller): void {
  if (!AUDITED.has(error.code)) return;
  refusals.add({
    actor: "nobody",
    door: "api",
    action: "peer-refused",
    result: "error",
    message: error.sentence,
    ...(address !== "" && { address }),
  }, { code: error.code, isAnonymous: true });
}

export const isLinkPath = (pathname: string): boolean => Object.hasOwn(ASKED, pathname);

/** Answers such a request. */
export async function answerLink(door: LinkDoor, request: Request, caller: Caller): Promise<Response> {
  try {
    const { pathname: path, protocol } = new URL(request.url);
    const { schema, ask } = ASKED[path]!;
    if (request.method !== "POST") {
      throw new ContractError("MethodNotAllowed", { method: request.method, path });
    }
    const certificate = protocol === "https:" ? door.certificate() : undefined;
    if (certificate === undefined) {
      throw new ContractError("LinkRefused", {
        reason: "KVM Managers link by HTTPS, at an address with TLS of its own",
      });
    }
    const input = await readJson(request, ANONYMOUS_BODY_LIMIT);
    if (!fits(schema, input)) {
      throw new ContractError("InvalidInput", { reason: "this is not how KVM Managers link" });
    }
    return jsonResponse(await ask(door, input as never, certificate, caller));
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    refused(door, error, caller);
    return errorResponse(error);
  }
}
