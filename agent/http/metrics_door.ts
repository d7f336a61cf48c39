/** `GET /metrics`: `export_metrics` as Prometheus asks for it. An API token opens it, no session. */
import { ContractError } from "../../lib/contract/errors.ts";
import { contentTypeOf, formatFor } from "../../lib/formats/exposition.ts";
import type { Principal } from "../access.ts";
import type { Caller } from "../access/mod.ts";
import type { Application } from "../app.ts";
import { errorResponse } from "./guard.ts";

export const METRICS_PATH = "/metrics";

/** A browser's session is not asked: what a page of somebody else's makes a browser fetch is none of a program's. */
const OPENED_BY: ReadonlySet<Principal["via"]> = new Set(["token", "socket", "demo"]);

async function answer(
  { access, dispatch }: Application,
  request: Request,
  caller: Caller,
): Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    throw new ContractError("MethodNotAllowed", { method: request.method, path: METRICS_PATH });
  }
  const principal = access.identify(request, caller);
  if (!OPENED_BY.has(principal.via)) throw new ContractError("NotSignedIn");
  const format = formatFor(request.headers.get("accept"));
  let text: ReadableStream<Uint8Array> | undefined;
  await dispatch("export_metrics", { format }, principal, { answer: (stream) => text = stream });
  if (request.method === "HEAD") await text?.cancel();
  return new Response(request.method === "HEAD" ? null : text!, {
    headers: { "content-type": contentTypeOf(format), "cache-control": "no-store", vary: "accept" },
  });
}

/** Answers a scrape. */
export async function answerMetrics(app: Application, request: Request, caller: Caller): Promise<Response> {
  try {
    return await answer(app, request, caller);
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    const response = errorResponse(error);
    if (error.code === "MethodNotAllowed") response.headers.set("allow", "GET, HEAD");
    return response;
  }
}
