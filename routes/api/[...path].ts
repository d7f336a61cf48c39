/** The REST door. */
import { runningAgent } from "../../agent/mod.ts";
import { doorOf } from "../../agent/http/request_info.ts";
import { define } from "../../lib/page_state.ts";

export const handler = define.handlers((ctx) => runningAgent().api(ctx.req, doorOf(ctx.info)));
