/** From starting the packed binary to its first answer, and to its first page with the host on it. */
import { delay } from "../testbed/wait.ts";
import { type Bench, type Context, roundsOf } from "./bench.ts";
import { launch } from "./launch.ts";
import { inTurn } from "./measure.ts";
import { alone } from "./row.ts";

/** Milliseconds since the start. */
interface First {
  /** Any answer: until libvirt has been read, a page says so. */
  readonly answer: number;
  /** A page that shows the host. */
  readonly page: number;
}

async function start(context: Context, cache?: string): Promise<First> {
  await using product = await launch(context, cache);
  const url = await product.url;
  let answer: number | undefined;
  while (true) {
    const response = await fetch(`${url}/`);
    await response.text();
    const since = performance.now() - product.begin;
    answer ??= since;
    if (response.ok) return { answer, page: since };
    if (response.status !== 503) throw new Error(`the first page: HTTP ${response.status}`);
    await delay(5);
  }
}

async function inEmptyCache(context: Context): Promise<First> {
  const cache = await Deno.makeTempDir({ prefix: "kvmm-bench-" });
  try {
    return await start(context, cache);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

export const first: Bench = async function* (context) {
  const pages: Record<"cold" | "warm", number[]> = { cold: [], warm: [] };
  const contestant = (name: keyof typeof pages, run: () => Promise<First>) => async () => {
    const { answer, page } = await run();
    pages[name].push(page);
    return answer;
  };
  const figures = await inTurn(roundsOf(context, 8), {
    cold: contestant("cold", () => inEmptyCache(context)),
    warm: contestant("warm", () => start(context)),
  });
  for (const values of Object.values(pages)) values.shift(); // the round that does not count
  yield* [
    alone({ what: "binary → first answer, unpacking itself", ours: figures.cold }),
    alone({ what: "binary → first answer, unpacked before", ours: figures.warm }),
    alone({ what: "binary → first page of the host, unpacked before", ours: pages.warm }),
  ];
};
