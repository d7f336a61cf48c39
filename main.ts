/** The app, as Fresh has it; started directly, the `kvm-manager` command. */
import { App, staticFiles } from "fresh";
import { textsIn } from "./agent/i18n/catalogs.ts";
import type { PageState } from "./lib/page_state.ts";
import { logFailures } from "./routes/(_shared)/log_failures.ts";

export const app = new App<PageState>();
app.use(logFailures);
app.use(staticFiles(textsIn));
app.fsRoutes();

// Not awaited: the command imports this module, which must be whole by then.
if (import.meta.main) void import("./cli/start.ts");
