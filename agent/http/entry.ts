/** Passes a listener's request on: to the API, or to the pages with the application at hand. */
import { ContractError } from "../../lib/contract/errors.ts";
import type { Door, SocketPeer } from "../access.ts";
import type { RefusedForm } from "../../lib/text/refused_form.ts";
import type { Caller } from "../access/mod.ts";
import type { Application } from "../app.ts";
import { locale } from "../../lib/i18n/locale.ts";
import { splitHost } from "../../lib/text/host_path.ts";
import { ofConnection } from "./connections.ts";
import { errorResponse } from "./guard.ts";
import { joinBack } from "../hosts/linked/join_back.ts";
import { answerLink, isLinkPath, type LinkDoor } from "./link_door.ts";
import { withHost } from "./request_host.ts";
import { inLanguage, LANGUAGE_HEADS, languageOfRequest } from "../i18n/request_locale.ts";
import type { Answer } from "./listener.ts";
import { MCP_PATH } from "../../lib/mcp/protocol.ts";
import { answerMcp } from "./mcp_door.ts";
import { answerMetrics, METRICS_PATH } from "./metrics_door.ts";

/** Answers requests for pages and files. */
export type Pages = (request: Request, info?: Deno.ServeHandlerInfo) => Promise<Response>;

/** Data of the pages on a request (Fresh's `ctx.info`). */
interface Visit extends Deno.ServeHandlerInfo {
  readonly app: Application;
  readonly caller: Caller;
  /** The host that the address names. */
  readonly host?: string;
  /** Answers with another page as if it had been asked for, and tells it what was refused in its form. */
  readonly again: (path: string, refused: RefusedForm) => Promise<Response>;
  /** Refused input in a form of the page that is shown again. */
  readonly refused?: RefusedForm;
}

/** Below it is the API; but the reference is a page. */
const API = "/api/", REFERENCE = "/api/v1/reference";

/** Heads that tell of a request's body. */
const OF_BODIES = ["content-length", "content-type"];

const isApi = (pathname: string) => pathname.startsWith(API) && pathname !== REFERENCE;

/** Types of answers that have texts in them. */
const HAS_TEXTS = /^(?:application\/json|text\/html)\b/;

/** Names the language that texts of an answer are in: they depend on what the client chose and accepts. */
function named(response: Response, language: string): Response {
  if (!HAS_TEXTS.test(response.headers.get("content-type") ?? "")) return response;
  response.headers.set("content-language", language);
  response.headers.append("vary", LANGUAGE_HEADS);
  return response;
}

/** Answers a request to the API as who sends it. */
async function answerApi({ access, api }: Application, request: Request, caller: Caller): Promise<Response> {
  const cookies: string[] = [];
  try {
    const principal = access.identify(request, caller, (cookie) => cookies.push(cookie));
    const response = await api(request, principal);
    for (const cookie of cookies) response.headers.append("set-cookie", cookie);
    return response;
  } catch (error) {
    if (error instanceof ContractError) return errorResponse(error);
    throw error;
  }
}

/** Door at which other KVM Managers identify themselves. */
const linkDoorOf = (app: Application): LinkDoor => ({
  peers: app.peers,
  activity: app.activity,
  refusals: app.refusals,
  certificate: () => app.doors?.certificates?.pair.facts.fingerprint.replaceAll(":", "").toLowerCase(),
  peersChanged: () => app.hub.publish("hosts-changed", {}),
  joinBack: (peer, invitation) => void joinBack(app, peer, invitation),
});

/** The same request for another path. */
function requestFor(path: string, request: Request): Request {
  const url = new URL(request.url);
  url.pathname = path;
  return new Request(url, request);
}

/** Answers every request. Behind a proxy or a tunnel the address is theirs: it slows guessing down, and grants nothing. */
export function entry(app: Application, pages: Pages): Answer {
  return (request: Request, door: Door, address: string, peer?: SocketPeer) => {
    const caller = { door, address, peer, ...ofConnection(request) };
    const { pathname } = new URL(request.url);
    const language = languageOfRequest(request);
    if (pathname === METRICS_PATH && app.settings.metricsEndpoint !== "off") {
      return inLanguage(language, () => answerMetrics(app, request, caller));
    }
    if (pathname === MCP_PATH) return inLanguage(language, () => answerMcp(app, request, caller));
    if (isLinkPath(pathname)) return inLanguage(language, () => answerLink(linkDoorOf(app), request, caller));
    if (isApi(pathname)) {
      return inLanguage(language, async () => named(await answerApi(app, request, caller), language));
    }
    const remoteAddr = { transport: "tcp", hostname: address, port: 0 } as const;
    const again: Visit["again"] = (path, refused) => {
      const headers = new Headers(request.headers);
      for (const name of OF_BODIES) headers.delete(name);
      const shown: Visit = { ...visit, refused };
      return pages(new Request(new URL(path, request.url), { headers }), shown);
    };
    const { host, path } = splitHost(pathname);
    const visit: Visit = {
      app,
      caller,
      again,
      remoteAddr,
      completed: Promise.resolve(),
      ...(host !== undefined && { host }),
    };
    const asked = host === undefined ? request : requestFor(path, request);
    // In the end: an account may have chosen another
    return inLanguage(language, async () => named(await withHost(() => pages(asked, visit)), locale()));
  };
}

/** For the pages. @throws {Error} for a request that came by no listener */
export function visitOf(info: Deno.ServeHandlerInfo): Visit {
  if (!("app" in info)) throw new Error("a page was asked for without the application");
  return info as Visit;
}
