/**
 * Compares the parts of Fresh that the pages use with Fresh 2.3.3: its public names and their shapes are written down
 * here, from packages/fresh/src of its repository, so that a drift is seen without network. docs/fresh.md explains how
 * to try the pages on it.
 */
import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
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

/** Names that a module of Fresh exports, by its name in the import map. */
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
/** Members of our context and app that Fresh has as well: no page may use more. */
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

/** Files of `lib/fresh/` that are ours and stay when the pages run on Fresh. */
const STAYING: ReadonlySet<string> = new Set(
  ["base", "nonce", "page_context"].map((name) => `lib/fresh/${name}.ts`),
);
/**
 * Modules of the rest of `lib/` that the part of `lib/fresh/` which Fresh replaces may import: none that depends on the
 * product.
 */
const PLAIN: ReadonlySet<string> = new Set(["lib/takes_gzip.ts", "lib/i18n/locale.ts"]);
/** Written otherwise for Fresh, or left out. */
const REWRITTEN: ReadonlySet<string> = new Set(["cli/start.ts", "fresh.gen.ts"]);
/** Attributes of the document that stylesheets read. */
const FOR_STYLES: ReadonlySet<string> = new Set(["theme", "sidebar"]);
const RELATIVE = /(?:\bfrom|\bimport\s*\(?)\s*"(\.[^"]+)"/g;

/** Files that a source imports by their paths. */
async function importsOf(path: string): Promise<string[]> {
  const text = await Deno.readTextFile(path);
  return [...text.matchAll(RELATIVE)].map(([, to = ""]) => relative(PROJECT, join(dirname(path), to)));
}

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

Deno.test("nothing imports what Fresh replaces, and what it replaces imports nothing of the product", async () => {
  const folders = ["agent", "cli", "components", "ffi", "islands", "lib", "routes"];
  const found = await Promise.all(folders.map((folder) => programSources(join(PROJECT, folder))));
  const wrong: string[] = [], seen = new Set<string>();
  for (const path of [join(PROJECT, "main.ts"), ...found.flat()]) {
    const source = relative(PROJECT, path);
    if (REWRITTEN.has(source)) continue;
    const isReplaced = source.startsWith("lib/fresh/") && !STAYING.has(source);
    const known = isReplaced ? PLAIN : STAYING;
    for (const target of await importsOf(path)) {
      if (known.has(target)) seen.add(target);
      const isOfFresh = target.startsWith("lib/fresh/");
      // What lib/fresh/ did with the product's own parts, Fresh would not do.
      const isAllowed = known.has(target) ||
        (isReplaced ? isOfFresh : !isOfFresh && target !== "fresh.gen.ts");
      if (!isAllowed) wrong.push(`${source} → ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
  for (const each of [...STAYING, ...PLAIN].filter((name) => name !== "lib/fresh/page_context.ts")) {
    assert.ok(seen.has(each), `${each} is imported nowhere: the test looks in the wrong place`);
  }
});

Deno.test("islands on Fresh know what the document says of its page, and lib/fresh knows no more", async () => {
  const read = (path: string) => Deno.readTextFile(join(PROJECT, path));
  const app = await read("routes/_app.tsx");
  // docs/fresh.md: on Fresh this island reads it, as lib/fresh/boot.ts does here.
  assert.match(app, /\{ready && \(\s*<LiveStatus\b/);
  const [document = ""] = /<html\b.*?<head>/s.exec(app) ?? [];
  const written = [...document.matchAll(/\bdata-(\w+)=/g)].map(([, name = ""]) => name)
    .filter((name) => !FOR_STYLES.has(name));
  assert.ok(written.includes("host") && written.includes("offers"), "the test looks in the wrong place");
  const staying = (await Promise.all([...STAYING].map(read))).join("\n");
  assert.deepEqual(written.filter((name) => !staying.includes(`dataset.${name}`)), []);
  const replaced = (await programSources(join(PROJECT, "lib/fresh"))).map((path) => relative(PROJECT, path))
    .filter((path) => !STAYING.has(path));
  for (const path of replaced) assert.doesNotMatch(await read(path), /documentElement/, path);
});
