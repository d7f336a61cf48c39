/** The application in the test's own process, with a clock that can be set forward: for what comes after days. */
import { localPrincipal } from "../../agent/testing.ts";
import { delegateFor } from "../../agent/access/delegation.ts";
import { Application } from "../../agent/app.ts";
import { SYSTEM_CLOCK } from "../../agent/clock.ts";
import type { Api } from "../../lib/contract/api.ts";
import { settingsHere } from "./app_here.ts";
import { testFolder } from "./folder.ts";
import { until } from "./wait.ts";

/** A clock that can be set forward: libvirt and QEMU go on in their own time. */
class SettableClock {
  #ahead = 0;
  readonly now = () => SYSTEM_CLOCK.now() + this.#ahead;
  readonly monotonic = () => SYSTEM_CLOCK.monotonic();
  readonly boot = () => SYSTEM_CLOCK.boot();
  readonly after = (ms: number, run: () => void) => SYSTEM_CLOCK.after(ms > 1000 ? ms / 20 : ms, run);
  forward(ms: number): void {
    this.#ahead += ms;
  }
}

/** A started application with a bin, whose clock can be set forward; its commands as an administrator. Stops when disposed of. */
export async function appAhead() {
  await using made = new AsyncDisposableStack();
  const data = made.use(await testFolder()), clock = new SettableClock();
  const app = new Application({ ...settingsHere(data.path), binDays: 30, metricsInterval: 10 }, clock);
  made.defer(() => app.stop());
  app.start();
  await until("the host is read", () => Promise.resolve(app.hosts.local.inventory.filled));
  const api = app.apiFor(localPrincipal("page")) as Api;
  /** The commands as a user. */
  const apiAs = (userId: string, name: string) => {
    const principal = delegateFor(app, { kind: "user", userId, name }, "test");
    if (typeof principal === "string") throw new Error(principal);
    return app.apiFor(principal) as Api;
  };
  const runBackup = async (backupId: string) => {
    const { id } = await api.runBackupNow({ backupId });
    return await until("the run is over", async () => {
      const run = (await api.listBackupRuns({ backupId })).find((each) => each.id === id);
      return run === undefined || run.state === "running" ? null : run;
    });
  };
  const undo = made.move();
  return { app, api, apiAs, clock, runBackup, [Symbol.asyncDispose]: () => undo.disposeAsync() };
}
