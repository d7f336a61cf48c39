/** Gives every page what it needs: who looks, the commands, the theme, the state of the link. Others are sent to sign in. */
import { HttpError } from "fresh";
import { parse } from "hono/utils/cookie";
import { ContractError } from "../lib/contract/errors.ts";
import { define, type PageState, type PageUser, THEMES } from "../lib/page_state.ts";
import { VERSION } from "../lib/version.ts";
import type { Principal } from "../agent/access.ts";
import { callerOf } from "../agent/http/request_info.ts";
import { runningAgent } from "../agent/mod.ts";
import { isPublic, signInAt } from "./(_shared)/sign_in.ts";

/** Below it is the REST door, which tells who asks by itself; but this is a page. */
const API = "/api/", REFERENCE = "/api/v1/reference";

/** Who looks. @throws {HttpError} for an API token that is none */
function principalOf(req: Request, info: Deno.ServeHandlerInfo, keep: (cookie: string) => void): Principal {
  const { door, address } = callerOf(info);
  try {
    return runningAgent().access.identify(req, { door: door === "api" ? "page" : door, address }, keep);
  } catch (error) {
    if (error instanceof ContractError) throw new HttpError(error.status, error.message);
    throw error;
  }
}

function userOf({ name, via, userId, role }: Principal): PageUser | null {
  if (via === "nobody") return null;
  const account = userId === undefined ? undefined : runningAgent().access.accounts.users.get(userId);
  return {
    name,
    displayName: account?.displayName || name,
    hasAccount: via === "session",
    administrator: role === "administrator",
  };
}

export default define.middleware(async (ctx) => {
  const { pathname } = ctx.url;
  if (pathname.startsWith(API) && pathname !== REFERENCE) return await ctx.next();
  const agent = runningAgent();
  const cookies: string[] = [];
  const principal = principalOf(ctx.req, ctx.info, (cookie) => cookies.push(cookie));
  const user = userOf(principal);
  if (user === null && !isPublic(pathname)) return ctx.redirect(signInAt(ctx.req, ctx.url), 303);
  const theme = parse(ctx.req.headers.get("cookie") ?? "", "theme").theme;
  const state: PageState = {
    user,
    api: agent.apiFor(principal),
    eventId: agent.hub.lastId,
    theme: THEMES.find((known) => known === theme) ?? "system",
    connection: agent.link.status,
    hostname: user === null ? "" : agent.inventory.hostname,
    demo: agent.settings.demo,
    version: user === null ? "" : VERSION,
    base: agent.doors?.base ?? "",
  };
  Object.assign(ctx.state, state);
  const response = await ctx.next();
  for (const cookie of cookies) response.headers.append("set-cookie", cookie);
  return response;
});
