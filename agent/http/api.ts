/** The REST door: `/api/v1`, built from the contract. */
import { Hono } from "hono";
import { ContractError } from "../../lib/contract/errors.ts";
import { openApi } from "../../lib/openapi/openapi.ts";
import { inputFields, REST_ROUTES } from "../../lib/contract/rest.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { CLOCK_HEADER } from "../../lib/host/link_protocol.ts";
import { LISTED_ITEMS } from "../../lib/rest/resources.ts";
import { EventView } from "../../lib/access/filter_output.ts";
import { seesVm } from "../../lib/access/viewer.ts";
import { isAdministrator } from "../../lib/access/rights.ts";
import {
  type Command,
  type CommandName,
  COMMANDS,
  type SearchedHost,
  type VM,
} from "../../lib/contract/mod.ts";
import { isEmptyToken, viewerOf } from "../access/authorise.ts";
import { accountOf, type Principal } from "../access.ts";
import { type Dispatch, isCommand } from "../dispatch.ts";
import type { EventHub } from "../events/hub.ts";
import { log } from "../log.ts";
import { pictureResponse, PICTURES } from "./picture.ts";
import { ANONYMOUS_BODY_LIMIT, BODY_LIMIT, readJson } from "./body.ts";
import { CONTENT_ROUTES, giveContent, takeContent } from "./content.ts";
import { EventStreams, FIGURE_CHOICES, type FigureChoice } from "./event_stream.ts";
import { errorResponse } from "./guard.ts";
import { hostHeads, type HostStates } from "./host_heads.ts";
import { jsonLinesResponse, wantsLines } from "./lines.ts";
import { type Call, withIds } from "./place_names.ts";
import { peerView } from "./peer_events.ts";
import { jsonResponse, requireQuery, RestDoor, shownResponse } from "./rest.ts";
import { message } from "../../lib/i18n/message.ts";

/** Hono's environment here: who asks. */
interface Environment {
  Bindings: { principal: Principal };
}

/** Answers somebody's API request. */
export type ApiHandler = (request: Request, principal: Principal) => Promise<Response>;

/** Routes that need no sign-in, by both their addresses. */
const OPEN: ReadonlySet<string> = new Set(
  REST_ROUTES.filter(({ command }) => command.permission === "anyone").flatMap(({ name, method, path }) => [
    `${method} /api/v1${path}`,
    `POST /api/v1/commands/${name}`,
  ]),
);

/** Commands that tell what comes while they work. */
const TELLING: ReadonlySet<string> = new Set(
  REST_ROUTES.filter(({ command }) => command.tells).map(({ name }) => name),
);

/** `/vms/{vmId}` → Hono's `/vms/:vmId`. */
const honoPath = (path: string) => path.replace(/\{(\w+)\}/g, ":$1");

/** Bytes of the largest body that somebody may send. */
const limitFor = ({ via }: Principal) => via === "nobody" ? ANONYMOUS_BODY_LIMIT : BODY_LIMIT;

/** Choice of figures in a stream. @throws {ContractError} InvalidInput */
function figuresOf(text: string | undefined): FigureChoice {
  const found = FIGURE_CHOICES.find((each) => each === (text ?? "on"));
  if (found !== undefined) return found;
  throw new ContractError("InvalidInput", {
    reason: message`figures is one of ${FIGURE_CHOICES.join(", ")}`,
    field: "figures",
  });
}

/** Ids of the hosts that have not answered, where an answer says how each did. */
function silentHosts(name: string, answer: unknown): string[] {
  if (!isCommand(name) || !(COMMANDS[name] as Command).spansHosts) return [];
  const { hosts = [] } = (answer ?? {}) as { readonly hosts?: readonly SearchedHost[] };
  return hosts.filter(({ reason }) => reason !== null).map(({ host }) => host);
}
type Api = Hono<Environment>;

/** Pictures: images whose addresses stand in pages. */
function addPictures(api: Api, dispatch: Dispatch): void {
  for (const { command, path, input } of PICTURES) {
    api.get(honoPath(path), async ({ req, env }) => {
      const place = req.param() as Record<string, string>;
      const call: Call = (command, input) => dispatch(command, input, env.principal);
      const ids = await withIds(call, place, inputFields(COMMANDS[command]));
      const wanted = input(ids as typeof place, new URL(req.url).searchParams);
      return await pictureResponse(call(command, wanted));
    });
  }
}

/** Commands whose content travels as the body of a request or an answer. */
function addContent(api: Api, dispatch: Dispatch): void {
  for (const route of CONTENT_ROUTES) {
    const path = honoPath(route.path);
    const placeIn = (request: { param: () => Record<string, string> }) => request.param();
    if (route.command.content === "upload") {
      api.put(
        path,
        async ({ req, env }) =>
          jsonResponse(await takeContent(dispatch, route, req.raw, placeIn(req), env.principal)),
      );
    } else {
      api.get(
        path,
        async ({ req, env }) => await giveContent(dispatch, route, req.raw, placeIn(req), env.principal),
      );
    }
  }
}

/** Has a path that is known say which methods it takes (RFC 9110, 15.5.6). */
function addAllowedMethods(api: Api): void {
  const allowed = new Map<string, string[]>([
    ["/commands/{name}", ["POST"]],
    ["/openapi.json", ["GET"]],
    ["/grpc.proto", ["GET"]],
    ["/events", ["GET"]],
    ...[...PICTURES, ...LISTED_ITEMS].map(({ path }) => [path, ["GET"]] as [string, string[]]),
  ]);
  for (const { path, method } of REST_ROUTES) allowed.set(path, [...allowed.get(path) ?? [], method]);
  for (const [path, methods] of allowed) {
    const allow = [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", ");
    api.all(honoPath(path), (context) => {
      if (context.req.method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
      const response = errorResponse(
        new ContractError("MethodNotAllowed", {
          method: context.req.method,
          path: context.req.path.slice(0, 256),
        }),
      );
      response.headers.set("allow", allow);
      return response;
    });
  }
}

/** Builds the door. */
export function createApi(
  { dispatch, hub, version, vms, ...hosts }: HostStates & {
    dispatch: Dispatch;
    hub: EventHub;
    version: string;
    /** VMs, for who may see only some of them. */
    vms: () => readonly VM[];
  },
): ApiHandler {
  const rest = new RestDoor(dispatch), { places, now } = hosts;
  const streams = new EventStreams(hub);
  /** Names in the heads which hosts a list of all hosts has nothing of, and which it has as they were, and how old that is. */
  const naming = (name: CommandName, host: unknown, principal: Principal, response: Response): Response => {
    for (const [head, value] of Object.entries(hostHeads(hosts, name, host, principal))) {
      response.headers.set(head, value);
    }
    return response;
  };
  /** The events that someone with some rights sees. */
  const viewWithin = (principal: Principal): EventView => {
    const viewer = viewerOf(principal, places);
    const known = vms().filter(({ id }) => seesVm(viewer, id)).map(({ id }) => id);
    return new EventView(viewer, known, vms);
  };
  const isHere = (vmId: string) => places.vm(vmId)?.hostId === LOCAL_HOST;
  const api = new Hono<Environment>().basePath("/api/v1");

  api.post("/commands/:name", async (context) => {
    requireQuery(context.req.raw, ["host"]);
    const input = await readJson(context.req.raw, limitFor(context.env.principal));
    const name = context.req.param("name"), host = context.req.query("host") || undefined;
    const { principal } = context.env;
    if (TELLING.has(name) && wantsLines(context.req.raw)) {
      return await jsonLinesResponse((content) => dispatch(name, input, principal, content, host));
    }
    const answer = await dispatch(name, input, principal, undefined, host);
    const response = jsonResponse(answer);
    if (principal.via === "link") response.headers.set("x-event-id", hub.lastId);
    const silent = silentHosts(name, answer);
    if (silent.length > 0) response.headers.set("x-missing-hosts", silent.join(", "));
    const asksFor = (input as { host?: unknown } | null)?.host ?? host;
    return isCommand(name) ? naming(name, asksFor, principal, response) : response;
  });
  api.get("/openapi.json", ({ req }) => {
    requireQuery(req.raw, []);
    return shownResponse(req.raw, openApi(version));
  });
  api.get("/grpc.proto", async ({ req }) => {
    requireQuery(req.raw, []);
    // It is asked for once by few: nothing of gRPC is loaded before
    const { contractProto } = await import("../../lib/grpc/contract_proto.ts");
    return new Response(contractProto(), {
      headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-cache" },
    });
  });
  api.get("/events", ({ req, env: { principal } }) => {
    requireQuery(req.raw, ["since", "figures"]);
    // What it tells can be asked for by commands, which such a token may not call.
    if (isEmptyToken(principal)) return errorResponse(new ContractError("Forbidden", { role: "viewer" }));
    const { rights, ended, hold } = principal;
    const follower = { ended, hold, who: accountOf(principal), figures: figuresOf(req.query("figures")) };
    const ofRights = isAdministrator(rights) ? undefined : viewWithin(principal);
    const view = principal.via === "link" ? peerView(isHere, ofRights) : ofRights;
    return streams.open(req.raw, { ...follower, view });
  });
  addPictures(api, dispatch);
  addContent(api, dispatch);
  for (const route of REST_ROUTES) {
    if (route.command.content !== undefined) continue;
    api.on(
      route.method,
      honoPath(route.path),
      async ({ req, env: { principal } }) => {
        const place = req.param() as Record<string, string>;
        const answer = await rest.answer(route, req.raw, place, principal, limitFor(principal));
        return naming(route.name, req.query("host"), principal, answer);
      },
    );
  }
  for (const item of LISTED_ITEMS) {
    api.get(
      honoPath(item.path),
      ({ req, env }) => rest.item(item, req.raw, req.param() as Record<string, string>, env.principal),
    );
  }
  addAllowedMethods(api);
  api.notFound((context) =>
    errorResponse(new ContractError("NotFound", { path: context.req.path.slice(0, 256) }))
  );
  api.onError((error) => {
    if (error instanceof ContractError) return errorResponse(error);
    log.error("an API request failed unexpectedly", { error, stack: error.stack });
    return errorResponse(new ContractError("Internal", undefined, { cause: error }));
  });
  return async (request, principal) => {
    // Before anything is read: whoever is not known sends no bodies, and learns of no path.
    const isOpen = OPEN.has(`${request.method} ${new URL(request.url).pathname}`);
    if (principal.via === "nobody" && !isOpen) return errorResponse(new ContractError("NotSignedIn"));
    const response = await api.fetch(request, { principal });
    if (principal.via === "link") response.headers.set(CLOCK_HEADER, String(Math.round(now())));
    return response;
  };
}
