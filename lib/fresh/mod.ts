/**
 * The part of Fresh 2's public API that we use. Code in `routes/` and `islands/` runs on real Fresh when the import
 * map points there.
 */
export { App, type AppOptions, type Handler } from "./app.ts";
export type { Context, LayoutConfig, PageProps } from "./context.ts";
export { createDefine, type Define } from "./define.ts";
export { HttpError } from "./error.ts";
export {
  type HandlerByMethod,
  type HandlerFn,
  type Method,
  page,
  type PageResponse,
  type RouteHandler,
} from "./handlers.ts";
export type { Middleware } from "./middleware.ts";
export { staticFiles } from "./static_files.ts";
