/** Resident memory of the product after a while with a page open. */
import { startServer } from "../testbed/server.ts";
import { delay } from "../testbed/wait.ts";
import { getVms, watcher } from "./api.ts";
import type { Bench } from "./bench.ts";
import { type Memory, memoryOf } from "./proc.ts";
import { alone } from "./row.ts";

/** Milliseconds it runs: what the start alone needed is handed back after 30 seconds, and periodic jobs have had a turn. */
const RUN_MS = { full: 75_000, quick: 35_000 };
/** Milliseconds between lists: a page fetches it once, so this stands for many pages opened in that time. */
const LIST_EVERY_MS = 1000;
/** MB, by whether there are machines. */
const AIMS = { idle: 100, many: 140 };

const FIGURES: Readonly<Record<keyof Memory, string>> = {
  rss: "resident",
  anon: "of that, its own (RssAnon)",
  pss: "resident, shared pages divided (PSS)",
};

export const memory: Bench = async function* (context) {
  await using server = await startServer(context.server);
  await using _page = await watcher(server.url);
  const end = performance.now() + (context.quick ? RUN_MS.quick : RUN_MS.full);
  while (performance.now() < end) {
    await delay(LIST_EVERY_MS);
    await getVms(server.url);
  }
  const { length } = context.machines;
  const what = length === 0 ? "memory, no machines" : `memory, ${length} machines`;
  const found = await memoryOf(server.pid);
  const aim = { most: length === 0 ? AIMS.idle : AIMS.many };
  for (const [figure, name] of Object.entries(FIGURES) as [keyof Memory, string][]) {
    yield alone({
      what: `${what}: ${name}`,
      ours: [found[figure]],
      unit: "MB",
      ...(figure === "rss" ? { aim } : {}),
    });
  }
};
