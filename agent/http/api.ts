/** The REST door: `/api/v1`, built from the contract. */
import { Hono } from "hono";
import { ContractError } from "../../lib/contract/errors.ts";
import { openApi } from "../../lib/contract/openapi.ts";
import { CONTENT_PATH } from "../../lib/contract/transfer.ts";
import { fields, fromText, IN_QUERY, REST_ROUTES, type RestRoute } from "../../lib/contract/rest.ts";
import { type Door, localPrincipal } from "../access.ts";
import type { Dispatch } from "../dispatch.ts";
import type { EventHub } from "../events/hub.ts";
import { log } from "../log.ts";
import { PICTURE_PATH, pictureInput, pictureResponse } from "../screens/picture.ts";
import { readJson } from "./body.ts";
import { giveContent, takeContent } from "./content.ts";
import { eventStream } from "./event_stream.ts";
import { errorResponse } from "./guard.ts";

/** Hono's environment here: by which door the request came. */
interface Environment {
  Bindings: { door: Door };
}

/** Answers an API request that came by a door. */
export type ApiHandler = (request: Request, door: Door) => Promise<Response>;

/** `/vms/{vmId}` → Hono's `/vms/:vmId`. */
const honoPath = (path: string) => path.replace(/\{(\w+)\}/g, ":$1");

/** A command's input from path, query and body. A field may be given once only. */
async function inputOf(route: RestRoute, request: Request, path: Record<string, string>): Promise<unknown> {
  const schemas = fields(route.command);
  const query: Record<string, unknown> = Object.create(null); // or `__proto__` would not be a field
  for (const [name, text] of new URL(request.url).searchParams) {
    if (Object.hasOwn(query, name) || Object.hasOwn(path, name)) {
      throw new ContractError("InvalidInput", { reason: `${name} was given twice` });
    }
    query[name] = fromText(Object.hasOwn(schemas, name) ? schemas[name] : undefined, text);
  }
  if (IN_QUERY.has(route.method)) return { ...query, ...path };
  if (Object.keys(query).length > 0) {
    throw new ContractError("InvalidInput", {
      reason: `${route.method} takes its fields from the body, not the query`,
    });
  }
  const body = await readJson(request);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new ContractError("InvalidInput", { reason: "the body must be a JSON object" });
  }
  for (const name of Object.keys(path)) {
    if (Object.hasOwn(body, name)) {
      throw new ContractError("InvalidInput", { reason: `${name} was given twice` });
    }
  }
  return { ...body, ...path };
}

/** Builds the door. */
export function createApi(
  { dispatch, hub, version }: { dispatch: Dispatch; hub: EventHub; version: string },
): ApiHandler {
  const answer = (value: unknown) =>
    new Response(JSON.stringify(value ?? null), {
      headers: { "content-type": "application/json", "cache-control": "no-store" },
    });
  const api = new Hono<Environment>().basePath("/api/v1");

  api.post("/commands/:name", async (context) => {
    const input = await readJson(context.req.raw);
    return answer(await dispatch(context.req.param("name"), input, localPrincipal(context.env.door)));
  });
  api.get("/openapi.json", () => answer(openApi(version)));
  api.get("/events", (context) => eventStream(hub, context.req.raw));
  api.get(honoPath(PICTURE_PATH), async (context) => {
    const input = pictureInput(context.req.param("vmId"), new URL(context.req.url).searchParams);
    return await pictureResponse(dispatch("screenshot_vm", input, localPrincipal(context.env.door)));
  });
  const volumeIn = ({ pool = "", name = "" }: Record<string, string>) => ({ pool, name });
  api.put(
    honoPath(CONTENT_PATH),
    async ({ req, env }) =>
      answer(await takeContent(dispatch, req.raw, volumeIn(req.param()), localPrincipal(env.door))),
  );
  api.get(
    honoPath(CONTENT_PATH),
    async ({ req, env }) =>
      await giveContent(dispatch, req.raw, volumeIn(req.param()), localPrincipal(env.door)),
  );
  for (const route of REST_ROUTES) {
    if (route.command.content !== undefined) continue;
    api.on(route.method, honoPath(route.path), async (context) => {
      const input = await inputOf(route, context.req.raw, context.req.param() as Record<string, string>);
      return answer(await dispatch(route.name, input, localPrincipal(context.env.door)));
    });
  }
  // A known path with another method says which ones it takes (RFC 9110, 15.5.6).
  const allowed = new Map<string, string[]>([
    ["/commands/{name}", ["POST"]],
    ["/openapi.json", ["GET"]],
    ["/events", ["GET"]],
    [PICTURE_PATH, ["GET"]],
  ]);
  for (const { path, method } of REST_ROUTES) allowed.set(path, [...allowed.get(path) ?? [], method]);
  for (const [path, methods] of allowed) {
    api.all(honoPath(path), (context) => {
      const response = errorResponse(
        new ContractError("MethodNotAllowed", {
          method: context.req.method,
          path: context.req.path.slice(0, 256),
        }),
      );
      response.headers.set("allow", methods.join(", "));
      return response;
    });
  }
  api.notFound((context) =>
    errorResponse(new ContractError("NotFound", { path: context.req.path.slice(0, 256) }))
  );
  api.onError((error) => {
    if (error instanceof ContractError) return errorResponse(error);
    log.error("an API request failed unexpectedly", { error, stack: error.stack });
    return errorResponse(new ContractError("Internal", undefined, { cause: error }));
  });
  return async (request, door) => await api.fetch(request, { door });
}
