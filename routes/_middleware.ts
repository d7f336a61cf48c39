/** Gives every page what it needs: the commands, the theme, the state of the link. */
import { parse } from "hono/utils/cookie";
import { define, type PageState, THEMES } from "../lib/page_state.ts";
import { VERSION } from "../lib/version.ts";
import { runningAgent } from "../agent/mod.ts";

export default define.middleware((ctx) => {
  const agent = runningAgent();
  const theme = parse(ctx.req.headers.get("cookie") ?? "", "theme").theme;
  const state: PageState = {
    api: agent.pageApi(),
    eventId: agent.hub.lastId,
    theme: THEMES.find((known) => known === theme) ?? "system",
    connection: agent.link.status,
    hostname: agent.inventory.hostname,
    demo: agent.settings.demo,
    version: VERSION,
  };
  Object.assign(ctx.state, state);
  return ctx.next();
});
