/** Measures the cost of sessions for every request: finding the session's user. */
import { Access } from "../../agent/access/mod.ts";
import { nobody } from "../../agent/access.ts";
import { REQUEST_RATE } from "../../agent/limits.ts";
import { Store } from "../../agent/store/store.ts";
import { TestClock } from "../../agent/testing.ts";
import { type Bench, roundsOf } from "./bench.ts";
import { alone } from "./row.ts";

/** Checks in a round: one alone is too short for the clock. */
const CHECKS = 1000;
const PASSWORD = "one bench for every session";

export const sessions: Bench = async function* (context) {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-bench-" });
  const store = new Store(folder);
  try {
    const clock = new TestClock(), access = new Access(store, false, clock);
    const { accounts } = access;
    for (let user = 0; user < 50; user++) await accounts.create({ name: `user${user}`, grants: [] });
    await accounts.create({ name: "ann", password: PASSWORD, grants: [] });
    let cookie = "";
    const keepSession = (secret: string | null) => void (cookie = `kvmm-8440=${secret}`);
    await access.signIn.password("ann", PASSWORD, nobody("page", { address: "", client: "", keepSession }));
    const request = new Request("http://127.0.0.1:8440/", { headers: { cookie } });
    const caller = { door: "page", address: "" } as const;
    if (access.identify(request, caller).via !== "session") throw new Error("no user is signed in");
    const round = async () => {
      // As many requests as the limit lets through
      await clock.advance(CHECKS / REQUEST_RATE.perSecond * 1000);
      const began = performance.now();
      for (let check = 0; check < CHECKS; check++) access.identify(request, caller);
      return (performance.now() - began) * 1000 / CHECKS;
    };
    await round(); // compiles it
    const ours: number[] = [];
    for (let each = 0; each < roundsOf(context, 20); each++) ours.push(await round());
    yield alone({ what: "whose session a request is", ours, unit: "µs", aim: { most: 200 } });
  } finally {
    store.close();
    await Deno.remove(folder, { recursive: true });
  }
};
