/** The exports of a file in `routes/`, checked: a manifest holds modules whose types only their own file knows. */
import type { LayoutConfig, RouteComponent } from "./context.ts";
import type { RouteHandler } from "./handlers.ts";
import type { Middleware } from "./middleware.ts";

/** A page: handlers, a component, or both. */
export interface PageRoute<State> {
  readonly component: RouteComponent<State> | null;
  readonly handlers: RouteHandler<unknown, State> | null;
  readonly config: LayoutConfig;
}

/** @throws {TypeError} when the module exports neither a component nor handlers. */
export function asRoute<State>(path: string, module: unknown): PageRoute<State> {
  const { default: component = null, handlers, handler, config = {} } = exportsOf(module);
  const given = handlers ?? handler ?? null;
  const valid = (component === null || typeof component === "function") &&
    (given === null || typeof given === "function" || typeof given === "object") &&
    (component !== null || given !== null);
  if (!valid) {
    throw new TypeError(`routes/${path} must export a component as default, "handlers", or both`);
  }
  return { component, handlers: given, config } as PageRoute<State>;
}

/** @throws {TypeError} when the module exports no component. */
export function asComponent<State>(path: string, module: unknown): PageRoute<State> & {
  component: RouteComponent<State>;
} {
  const { component, handlers, config } = asRoute<State>(path, module);
  if (component === null || handlers !== null) {
    throw new TypeError(`routes/${path} must export a component as default, and no handlers`);
  }
  return { component, handlers, config };
}

/** @throws {TypeError} when the module exports no middleware. */
export function asMiddlewares<State>(path: string, module: unknown): Middleware<State>[] {
  const { default: standard, handlers, handler } = exportsOf(module);
  const given: unknown = handlers ?? handler ?? standard;
  const list: unknown[] = Array.isArray(given) ? given : [given];
  if (!list.every((item) => typeof item === "function")) {
    throw new TypeError(`routes/${path} must export a middleware, or a list of them, as default`);
  }
  return list as Middleware<State>[];
}

function exportsOf(module: unknown): Record<string, unknown> {
  return typeof module === "object" && module !== null ? { ...module } : {};
}
