/** Typed helpers for routes: each returns what it is given, so that TypeScript infers the rest. */
import type { AnyComponent } from "preact";
import type { PageProps } from "./context.ts";
import type { HandlerByMethod, HandlerFn, RouteHandler } from "./handlers.ts";
import type { Middleware } from "./middleware.ts";

/** The helpers, bound to the app's type of `ctx.state`. */
export interface Define<State> {
  /** A route's `handlers` export. */
  handlers<Data, Handlers extends RouteHandler<Data, State> = RouteHandler<Data, State>>(
    handlers: Handlers,
  ): typeof handlers;

  /** A route's component; `define.page<typeof handlers>` types its `data`. May be `async`. */
  page<
    Handler extends RouteHandler<unknown, State> = never,
    Data = Handler extends HandlerFn<infer D, State> ? D
      : Handler extends HandlerByMethod<infer D, State> ? D
      : never,
  >(render: AnyComponent<PageProps<Data, State>>): typeof render;

  /** The component of a `_layout` or `_app` file. May be `async`. */
  layout(render: AnyComponent<PageProps<unknown, State>>): typeof render;

  /** A middleware, or several that run in order. */
  middleware<M extends Middleware<State> | Middleware<State>[]>(middleware: M): typeof middleware;
}

/** Makes the helpers. Call it once, next to the type of the state. */
export function createDefine<State>(): Define<State> {
  return {
    handlers: (handlers) => handlers,
    page: (render) => render,
    layout: (render) => render,
    middleware: (middleware) => middleware,
  };
}
