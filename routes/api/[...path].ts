/** The REST door. */
import { runningAgent } from "../../agent/mod.ts";
import { errorResponse } from "../../agent/http/guard.ts";
import { callerOf } from "../../agent/http/request_info.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import { define } from "../../lib/page_state.ts";

export const handler = define.handlers(async (ctx) => {
  const { access, api } = runningAgent();
  const cookies: string[] = [];
  try {
    const principal = access.identify(ctx.req, callerOf(ctx.info), (cookie) => cookies.push(cookie));
    const response = await api(ctx.req, principal);
    for (const cookie of cookies) response.headers.append("set-cookie", cookie);
    return response;
  } catch (error) {
    if (error instanceof ContractError) return errorResponse(error);
    throw error;
  }
});
