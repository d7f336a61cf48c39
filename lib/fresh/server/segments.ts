/** The tree of folders in `routes/`: a request passes the layouts, middlewares and error pages along its path. */
import { type Context, internalsOf, type LayoutConfig, renderComponent } from "./context.ts";
import type { RouteComponent } from "./context.ts";
import { errorStatus, HttpError } from "./error.ts";
import type { HandlerFn, Method } from "./handlers.ts";
import type { Middleware } from "./middleware.ts";
import type { PageRoute } from "./route_module.ts";
import { setBuildId } from "../runtime.ts";

/** One folder. */
export class Segment<State> {
  app: RouteComponent<State> | null = null;
  layout: { component: RouteComponent<State>; config: LayoutConfig } | null = null;
  error: PageRoute<State> | null = null;
  readonly middlewares: Middleware<State>[] = [];
  readonly #children = new Map<string, Segment<State>>();

  constructor(readonly parent: Segment<State> | null = null) {}

  /** The segment below this one along `path`, made where it is missing. */
  at(path: readonly string[]): Segment<State> {
    const [first, ...rest] = path;
    if (first === undefined) return this;
    const child = this.#children.get(first) ?? new Segment(this);
    this.#children.set(first, child);
    return child.at(rest);
  }

  /** Middlewares of a request to a route in this folder, outermost first. */
  chain(): Middleware<State>[] {
    return [...(this.parent?.chain() ?? []), (ctx) => this.#around(ctx), ...this.middlewares];
  }

  async #around(ctx: Context<State>): Promise<Response> {
    const internals = internalsOf(ctx);
    internals.app = this.app ?? internals.app;
    if (this.layout !== null) {
      const { component, config } = this.layout;
      if (config.skipAppWrapper) internals.app = null;
      internals.layouts = config.skipInheritedLayouts ? [component] : [...internals.layouts, component];
    }
    const { app, layouts } = internals;
    try {
      return await ctx.next();
    } catch (error) {
      if (this.error === null) throw error;
      Object.assign(internals, { app, layouts });
      return await answer(ctx, this.error, errorStatus(error));
    }
  }
}

/** Runs a route: its handler for the method, then its component with what the handler returned. */
export async function answer<State>(
  ctx: Context<State>,
  route: PageRoute<State>,
  status = 200,
): Promise<Response> {
  // Before the component runs: an async one may already ask for an asset's address
  if (route.component !== null) setBuildId((await internalsOf(ctx).manifest.assets()).build);
  const result = await handlerFor(route, ctx.req.method)(ctx);
  if (result instanceof Response) return result;
  let vnode = null;
  if (route.component !== null) {
    const rendered = await renderComponent(ctx, route.component, () => null, result.data);
    if (rendered instanceof Response) return rendered;
    vnode = rendered;
  }
  const headers = new Headers(result.headers);
  return await ctx.render(vnode, { status: result.status ?? status, headers }, route.config);
}

function handlerFor<State>(
  { handlers, component }: PageRoute<State>,
  method: string,
): HandlerFn<unknown, State> {
  const onlyPage = () => ({ data: {} });
  if (typeof handlers === "function") return handlers;
  if (handlers === null) return onlyPage;
  const own = Object.hasOwn(handlers, method) ? handlers[method as Method] : undefined;
  if (own !== undefined) return own;
  const get = handlers.GET ?? (component === null ? undefined : onlyPage);
  if (get !== undefined && (method === "GET" || method === "HEAD")) return get;
  const allowed = [...new Set([...Object.keys(handlers), ...(get === undefined ? [] : ["GET", "HEAD"])])];
  if (method === "OPTIONS") {
    return () => new Response(null, { status: 204, headers: { allow: allowed.join(", ") } });
  }
  throw new HttpError(405, `${method} is not allowed here`);
}
