/**
 * What the pages use of Fresh is what Fresh 2.3.3 has: its public names and their shapes are written down here, from
 * packages/fresh/src of its repository, so that a drift is seen without network. docs/fresh.md tells how to try the pages on it.
 */
import assert from "node:assert/strict";
import { join, relative } from "node:path";
import type { FunctionComponent, VNode } from "preact";
import type { App, Context, HandlerByMethod, LayoutConfig, PageProps, PageResponse } from "fresh";
import { programSources, PROJECT } from "./project.ts";

/** Context of context.ts, without what is deprecated or private. */
interface FreshContext<State> {
  readonly config: object;
  readonly url: URL;
  req: Request;
  readonly route: string | null;
  readonly params: Record<string, string>;
  readonly state: State;
  data: unknown;
  error: unknown;
  readonly info: Deno.ServeHandlerInfo;
  readonly isPartial: boolean;
  next: () => Promise<Response>;
  Component: FunctionComponent;
  redirect(pathOrUrl: string, status?: number): Response;
  render(vnode: VNode | null, init?: ResponseInit, config?: LayoutConfig): Promise<Response>;
  text(content: string, init?: ResponseInit): Response;
  html(content: string, init?: ResponseInit): Response;
  json(content: unknown, init?: ResponseInit): Response;
}

/** PageProps of render.ts. */
type FreshPageProps<Data, State> =
  & Pick<
    FreshContext<State>,
    "config" | "url" | "req" | "params" | "info" | "state" | "isPartial" | "Component" | "error" | "route"
  >
  & { data: Data };

/** PageResponse of handlers.ts. */
interface FreshPageResponse<Data> {
  data: Data;
  headers?: HeadersInit;
  status?: number;
}

/** Method of router.ts. */
type FreshMethod = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";

/** What stands in a module of Fresh, by its name in the import map. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "fresh": [
    ...["App", "ListenOptions", "trailingSlashes", "HandlerByMethod", "HandlerFn", "page", "PageResponse"],
    ...["RouteData", "RouteHandler", "LayoutConfig", "Lazy", "MaybeLazy", "RouteConfig", "Middleware"],
    ...["MiddlewareFn", "staticFiles", "csrf", "CsrfOptions", "cors", "CORSOptions", "ipFilter"],
    ...["IpFilterOptions", "IpFilterRules", "csp", "CSPOptions", "FreshConfig", "ResolvedFreshConfig"],
    ...["Context", "FreshContext", "Island", "WebSocketHandlers", "WebSocketUpgradeOptions", "createDefine"],
    ...["Define", "Method", "HttpError", "PageProps"],
  ],
  "fresh/runtime": [
    ...["HttpError", "IS_BROWSER", "asset", "assetSrcSet", "PartialProps", "Partial", "Head", "HeadProps"],
  ],
};
/** What our context and app have, and Fresh's: no page may use more. */
const MEMBERS: Readonly<Record<"ctx" | "define" | "app", readonly string[]>> = {
  ctx: [
    ...["config", "url", "req", "route", "params", "state", "data", "error", "info", "isPartial", "next"],
    ...["Component", "redirect", "render", "text", "html", "json", "stream", "upgrade"],
  ],
  define: ["handlers", "page", "layout", "middleware"],
  app: [
    ...["use", "notFound", "onError", "appWrapper", "layout", "route", "get", "post", "patch", "put"],
    ...["delete", "head", "ws", "all", "fsRoutes", "mountApp", "handler", "listen", "config"],
  ],
};

/** Compiles where a value of Fresh's does for ours. */
type Does<Fresh extends Ours, Ours> = [Fresh, Ours];
type Public<T> = Pick<T, keyof T>;
/** Held by the types stage. `redirect` wants its context in ours (`this`): the call is the same. */
export type Held = [
  Does<FreshContext<object>, Omit<Public<Context<object>>, "redirect" | "render">>,
  Does<keyof Context<object>, keyof FreshContext<object>>,
  Does<FreshPageProps<string, object>, Public<PageProps<string, object>>>,
  Does<PageResponse<string>, FreshPageResponse<string>>,
  Does<FreshPageResponse<string>, PageResponse<string>>,
  Does<keyof HandlerByMethod<string, object>, FreshMethod>,
  Does<Parameters<Context<object>["redirect"]>, Parameters<FreshContext<object>["redirect"]>>,
  Does<keyof Pick<App<object>, "use" | "fsRoutes">, "use" | "fsRoutes">,
];

const IMPORT = /^(?:import|export)\s+(?:type\s+)?\{([^}]*)\}\s*from\s*"(fresh(?:\/\w+)?)"/gm;
const USED = /(?<![\w.])(ctx|define)\.(\w+)/g;

/** Sources that run on Fresh as they are. */
async function pageSources(): Promise<string[]> {
  const folders = await Promise.all(
    ["routes", "islands", "components"].map((each) => programSources(join(PROJECT, each))),
  );
  return [join(PROJECT, "main.ts"), ...folders.flat()];
}

Deno.test("pages import from Fresh what Fresh 2.3.3 exports, and use members that it has", async () => {
  const wrong: string[] = [], seen = new Set<string>();
  for (const path of await pageSources()) {
    const text = await Deno.readTextFile(path), source = relative(PROJECT, path);
    for (const [, names = "", module = ""] of text.matchAll(IMPORT)) {
      for (const each of names.split(",").map((name) => name.trim()).filter(Boolean)) {
        const name = each.replace(/^type\s+/, "").replace(/\s+as\s.*$/, "");
        seen.add(name);
        if (!NAMES[module]?.includes(name)) wrong.push(`${source}: ${name} of ${module}`);
      }
    }
    if (!source.startsWith("routes/")) continue;
    for (const [, of, member = ""] of text.matchAll(USED)) {
      seen.add(`${of}.${member}`);
      if (!MEMBERS[of as "ctx" | "define"].includes(member)) wrong.push(`${source}: ${of}.${member}`);
    }
  }
  const main = await Deno.readTextFile(join(PROJECT, "main.ts"));
  for (const [, member = ""] of main.matchAll(/\bapp\.(\w+)\(/g)) {
    seen.add(`app.${member}`);
    if (!MEMBERS.app.includes(member)) wrong.push(`main.ts: app.${member}`);
  }
  assert.deepEqual(wrong, []);
  for (const name of ["page", "Head", "HttpError", "ctx.redirect", "define.handlers", "app.fsRoutes"]) {
    assert.ok(seen.has(name), `${name} was not found: the test looks in the wrong place`);
  }
});
