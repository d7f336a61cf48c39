/** The app: middlewares and routes, made into one function from a request to its response. */
import { STATUS_CODES } from "node:http";
import { TrieRouter } from "hono/router/trie-router";
import { Context } from "./context.ts";
import { errorStatus, HttpError } from "./error.ts";
import { bySpecificity, fileRoute } from "./file_routes.ts";
import { type Manifest, registeredManifest } from "./manifest.ts";
import { compose, type Middleware } from "./middleware.ts";
import { asComponent, asMiddlewares, asRoute } from "./route_module.ts";
import type { Method } from "./handlers.ts";
import { answer, Segment } from "./segments.ts";

/** Return value of `app.handler()`; fits `Deno.serve`. */
export type RequestHandler = (request: Request, info?: Deno.ServeHandlerInfo) => Promise<Response>;

/** An address and how requests to it are handled. */
interface Endpoint<State> {
  readonly pattern: string;
  readonly methods: Map<Method | "ALL", Middleware<State>>;
}

/** In-process requests (tests) come from nowhere. */
const NO_CONNECTION: Deno.ServeHandlerInfo = {
  remoteAddr: { transport: "tcp", hostname: "localhost", port: 0 },
  completed: Promise.resolve(),
};

/**
 * An app under construction. What is added earlier is passed first.
 *
 * @example
 * ```ts
 * export const app = new App<State>().use(staticFiles()).fsRoutes();
 * Deno.serve(app.handler());
 * ```
 */
export class App<State> {
  readonly #steps: ((build: Build<State>) => void)[] = [];

  /** Adds middlewares for every request, or for those below a path. */
  use(...middlewares: Middleware<State>[]): this;
  use(path: string, ...middlewares: Middleware<State>[]): this;
  use(first: string | Middleware<State>, ...others: Middleware<State>[]): this {
    const [path, added] = typeof first === "string" ? [first, others] : ["/", [first, ...others]];
    this.#steps.push(({ root }) => root.at(segmentsOf(path)).middlewares.push(...added));
    return this;
  }

  get(path: string, ...middlewares: Middleware<State>[]): this {
    return this.#on("GET", path, middlewares);
  }
  head(path: string, ...middlewares: Middleware<State>[]): this {
    return this.#on("HEAD", path, middlewares);
  }
  post(path: string, ...middlewares: Middleware<State>[]): this {
    return this.#on("POST", path, middlewares);
  }
  put(path: string, ...middlewares: Middleware<State>[]): this {
    return this.#on("PUT", path, middlewares);
  }
  patch(path: string, ...middlewares: Middleware<State>[]): this {
    return this.#on("PATCH", path, middlewares);
  }
  delete(path: string, ...middlewares: Middleware<State>[]): this {
    return this.#on("DELETE", path, middlewares);
  }
  all(path: string, ...middlewares: Middleware<State>[]): this {
    return this.#on("ALL", path, middlewares);
  }

  #on(method: Method | "ALL", path: string, middlewares: Middleware<State>[]): this {
    this.#steps.push((build) =>
      build.add(path, method, [...build.root.at(segmentsOf(path)).chain(), ...middlewares])
    );
    return this;
  }

  /** Adds the routes of the registered manifest (`fresh.gen.ts`). */
  fsRoutes(): this {
    this.#steps.push((build) => build.addFiles());
    return this;
  }

  /**
   * Builds the app as it is now.
   *
   * @throws {TypeError | SyntaxError} when a file of `routes/` exports or is called something meaningless.
   */
  handler(): RequestHandler {
    const build = new Build<State>(registeredManifest());
    for (const step of this.#steps) step(build);
    const router = build.router();
    const nowhere = compose(build.root.chain());

    return async (req, info = NO_CONNECTION) => {
      const url = new URL(req.url);
      url.pathname = url.pathname.replace(/\/+/g, "/"); // or a link to `//host` made from it leads elsewhere
      const path = url.pathname === "/" ? "/" : url.pathname.replace(/\/$/, "");
      const [[matched]] = router.match("ALL", path) as [[[Endpoint<State>, Record<string, string>]?]];
      const [endpoint, raw = {}] = matched ?? [];
      const handle = endpoint && (endpoint.methods.get(req.method as Method) ?? endpoint.methods.get("ALL") ??
        (req.method === "HEAD" ? endpoint.methods.get("GET") : undefined));
      const ctx = new Context<State>({
        req,
        url,
        info,
        route: endpoint?.pattern ?? null,
        params: Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, decode(value)])),
        next: () => Promise.reject(new HttpError(endpoint === undefined ? 404 : 405)),
      }, build.manifest);
      try {
        const response = await (handle ?? nowhere)(ctx);
        return req.method === "HEAD" ? new Response(null, response) : response;
      } catch (error) {
        return lastResort(error);
      }
    };
  }
}

/** Collects what an app consists of while its steps run. */
class Build<State> {
  readonly root = new Segment<State>();
  readonly #endpoints = new Map<string, Endpoint<State>>();

  constructor(readonly manifest: Manifest) {}

  add(pattern: string, method: Method | "ALL", chain: Middleware<State>[]): void {
    const endpoint = this.#endpoints.get(pattern) ?? { pattern, methods: new Map() };
    if (endpoint.methods.has(method)) throw new TypeError(`${method} ${pattern} is defined twice`);
    endpoint.methods.set(method, compose(chain));
    this.#endpoints.set(pattern, endpoint);
  }

  addFiles(): void {
    const files = Object.entries(this.manifest.routes)
      .map(([path, module]) => ({ path, module, ...fileRoute(path) }));
    for (const { path, module, kind, folder } of files) {
      const segment = this.root.at(folder);
      if (kind === "app") segment.app = asComponent<State>(path, module).component;
      else if (kind === "layout") segment.layout = asComponent<State>(path, module);
      else if (kind === "error") segment.error = asRoute<State>(path, module);
      else if (kind === "middleware") segment.middlewares.push(...asMiddlewares<State>(path, module));
    }
    // Only now are the chains complete
    for (const { path, module, kind, folder, patterns } of files) {
      if (kind !== "route") continue;
      const route = asRoute<State>(path, module);
      const chain = [...this.root.at(folder).chain(), (ctx: Context<State>) => answer(ctx, route)];
      for (const pattern of patterns) this.add(pattern, "ALL", chain);
    }
  }

  /** The first match of this router is the most specific. */
  router(): TrieRouter<Endpoint<State>> {
    const router = new TrieRouter<Endpoint<State>>();
    const endpoints = [...this.#endpoints.values()].sort((a, b) => bySpecificity(a.pattern, b.pattern));
    for (const endpoint of endpoints) router.add("ALL", endpoint.pattern, endpoint);
    return router;
  }
}

function segmentsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== "*");
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value; // not UTF-8: no name of ours, and the route says so
  }
}

/** For what no `_error` page caught, or what it failed with itself. */
function lastResort(error: unknown): Response {
  const status = errorStatus(error);
  if (status >= 500) console.error(error);
  const said = error instanceof HttpError ? error.message : "";
  return new Response(said || (STATUS_CODES[status] ?? "Error"), { status });
}
