/** Middlewares: functions around a request, each of which answers it or passes it on with `ctx.next()`. */
import { type Context, internalsOf } from "./context.ts";

/** Answers the request, or returns what `ctx.next()` gives. */
export type Middleware<State> = (ctx: Context<State>) => Response | Promise<Response>;

/**
 * Joins middlewares into one. What comes after the last of them is the `ctx.next` the joined one was called with.
 * The first to see an error remembers it as `ctx.error`.
 */
export function compose<State>(middlewares: readonly Middleware<State>[]): Middleware<State> {
  return (ctx) => {
    const last = ctx.next;
    const internals = internalsOf(ctx);

    async function run(index: number): Promise<Response> {
      const middleware = middlewares[index];
      const { next } = ctx;
      const { app, layouts } = internals;
      ctx.next = () => run(index + 1);
      try {
        return await (middleware === undefined ? last() : middleware(ctx));
      } catch (error) {
        ctx.error = error;
        throw error;
      } finally {
        ctx.next = next;
        Object.assign(internals, { app, layouts });
      }
    }
    return run(0);
  };
}
