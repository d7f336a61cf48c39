/** Fixtures for the tests of this folder: apps made of manifests in memory. */
import { App, type Middleware, type RequestHandler } from "./mod.ts";
import { type Manifest, register } from "./server/manifest.ts";

/** Assets of no build. */
export const NO_ASSETS: Awaited<ReturnType<Manifest["assets"]>> = {
  build: "b1",
  boot: "/_fresh/b1/boot.js",
  islands: {},
  folders: [],
  packed: true,
};

/** The handler of an app with these middlewares and routes, and nothing else. */
export function handlerOf(
  manifest: Partial<Manifest>,
  ...middlewares: Middleware<unknown>[]
): RequestHandler {
  register({ assets: () => Promise.resolve(NO_ASSETS), ...manifest });
  const app = new App<unknown>();
  for (const middleware of middlewares) app.use(middleware);
  return app.fsRoutes().handler();
}

/** Asks a handler for a path. */
export function get(handler: RequestHandler, path: string, init?: RequestInit): Promise<Response> {
  return handler(new Request("http://localhost" + path, init));
}

/** Asks for a path and reads the answer. */
export async function text(handler: RequestHandler, path: string): Promise<string> {
  return await (await get(handler, path)).text();
}
