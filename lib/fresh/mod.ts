/**
 * The part of Fresh 2's public API that we use. Code in `routes/` and `islands/` runs on real Fresh when the import
 * map points there.
 */
export { App, type RequestHandler } from "./server/app.ts";
export type { Context, LayoutConfig, PageProps } from "./server/context.ts";
export { createDefine, type Define } from "./server/define.ts";
export { HttpError } from "./server/error.ts";
export {
  type HandlerByMethod,
  type HandlerFn,
  type Method,
  page,
  type PageResponse,
  type RouteHandler,
} from "./server/handlers.ts";
export type { Middleware } from "./server/middleware.ts";
export { staticFiles } from "./server/static_files.ts";
