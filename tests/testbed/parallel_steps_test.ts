import assert from "node:assert/strict";
import { parallelSteps } from "./parallel_steps.ts";
import { delay } from "./wait.ts";

Deno.test("parallelSteps() carries out so many at a time, and each that fails fails its own step", async () => {
  let now = 0, most = 0;
  const work = async () => {
    most = Math.max(most, ++now);
    await delay(20);
    now--;
  };
  const seen: [string, string][] = [];
  const step = async (name: string, run: () => void | Promise<void>) => {
    const how = await Promise.resolve().then(run).then(() => "ok", (error: Error) => error.message);
    seen.push([name.replace(/ \(.*/, ""), how]);
    return how === "ok";
  };
  const works = {
    first: work,
    second: () => Promise.reject(new Error("it broke")),
    third: work,
    fourth: work,
  };
  await parallelSteps({ step } as unknown as Deno.TestContext, 2, works);
  assert.equal(most, 2);
  assert.deepEqual(seen, [["first", "ok"], ["second", "it broke"], ["third", "ok"], ["fourth", "ok"]]);
});
