/** A route's `handlers` export: a function for every method, or an object with one per method. */
import type { Context } from "./context.ts";

/** HTTP methods a route can handle. */
export type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";

/** Data for the route's page component, with the status and headers of its response. */
export interface PageResponse<Data> {
  data: Data;
  headers?: HeadersInit;
  status?: number;
}

/** Answers a request itself, or hands data to the route's page component. */
export interface HandlerFn<Data, State> {
  (ctx: Context<State>): Response | PageResponse<Data> | Promise<Response | PageResponse<Data>>;
}

/** One function per HTTP method. HEAD falls back to GET; any other method missing here is 405. */
export type HandlerByMethod<Data, State> = { [M in Method]?: HandlerFn<Data, State> };

/** The type of a `handlers` export. */
export type RouteHandler<Data, State> = HandlerFn<Data, State> | HandlerByMethod<Data, State>;

/**
 * Renders the route's page component with `data`.
 *
 * @example
 * ```ts
 * export const handlers = define.handlers({ GET: () => page({ name: "web" }, { status: 201 }) });
 * ```
 */
export function page(): PageResponse<undefined>;
export function page<Data>(data: Data, options?: Omit<PageResponse<Data>, "data">): PageResponse<Data>;
export function page<Data>(data?: Data, options: Omit<PageResponse<Data>, "data"> = {}) {
  return { data, ...options };
}
