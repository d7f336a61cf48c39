/** Answers a request of a page or program; `main.ts` hands in the app. */
export type AppHandler = (request: Request, info?: Deno.ServeHandlerInfo) => Promise<Response>;
