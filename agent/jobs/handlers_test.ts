import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/errors.ts";
import { type Principal, principalOf } from "../access.ts";
import { Store } from "../store/store.ts";
import { TestClock } from "../testing.ts";
import { jobHandlers } from "./handlers.ts";
import { Jobs } from "./jobs.ts";

Deno.test("a task of an account that was deleted is not found by a later one of its name", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    const store = new Store(folder), jobs = new Jobs(store, { clock: new TestClock(1_000_000) });
    const handlers = jobHandlers(jobs, { vm: () => undefined, vmsOn: () => [], hostOf: () => "local" });
    const spec = {
      command: "upload_volume",
      title: "Upload",
      actor: "ann",
      ifInterrupted: "Again.",
    } as const;
    const { id: jobId } = await jobs.open(spec);
    const rights = [[{ permissions: new Set(["storage.operate"]), on: { kind: "everything" } as const }]];
    const ann = (since: number): { principal: Principal } => ({
      principal: principalOf({ name: "ann", door: "api", via: "session", since, rights }),
    });
    const asked = async (since: number) => await handlers.get_job({ jobId }, ann(since));
    assert.equal((await asked(0)).job.id, jobId);
    await assert.rejects(asked(2_000_000), (error) => {
      assert.ok(error instanceof ContractError);
      return error.code === "JobNotFound";
    });
    store.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
