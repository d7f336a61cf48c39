import assert from "node:assert/strict";
import type { Told } from "./part.ts";
import { alone, type Row } from "./row.ts";
import { follow, type Outcome } from "./run_part.ts";
import { delay } from "../testbed/wait.ts";

const row = alone({ what: "something", ours: [1] });
const print = (told: Told) => `echo '${JSON.stringify(told)}'`;

/** Follows a shell script. */
async function followed(
  script: string,
  { limitMs = 30_000, stop = new AbortController().signal } = {},
): Promise<{ outcome: Outcome; rows: Row[] }> {
  const rows: Row[] = [];
  const told = (each: Row) => void rows.push(each);
  return { outcome: await follow({ argv: ["sh", "-c", script], env: {}, limitMs, stop, told }), rows };
}

Deno.test("follow() gives rows, and how the part says that it ended", async () => {
  const complete = await followed([print({ row }), print({ row }), print({ ended: "complete" })].join("\n"));
  assert.deepEqual(complete, { outcome: { how: "complete" }, rows: [row, row] });
  const unavailable = await followed(print({ ended: "unavailable", reason: "no browser" }));
  assert.deepEqual(unavailable.outcome, { how: "unavailable", reason: "no browser" });
});

Deno.test("follow() says of a part that crashes how its process ended, and keeps its rows", async () => {
  assert.deepEqual(await followed(`${print({ row })}\nkill -KILL $$`), {
    outcome: { how: "failed", reason: "its process ended with SIGKILL" },
    rows: [row],
  });
  const { outcome } = await followed("exit 3");
  assert.deepEqual(outcome, { how: "failed", reason: "its process ended with exit status 3" });
});

Deno.test("follow() ends what takes too long, with all that it has started", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { outcome, rows } = await followed(
      `${print({ row })}\n(sleep 3; touch ${folder}/alive) &\nwhile true; do sleep 1; done`,
      { limitMs: 1000 },
    );
    assert.deepEqual({ outcome, rows }, {
      outcome: { how: "late", reason: "it was ended after 1 s" },
      rows: [row],
    });
    await delay(3000); // what was left of it would have written by then
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("follow() ends with the whole bench", async () => {
  const stop = new AbortController();
  const following = followed("sleep 60", { stop: stop.signal });
  stop.abort();
  assert.deepEqual((await following).outcome, { how: "stopped" });
  assert.deepEqual((await followed("sleep 60", { stop: stop.signal })).outcome, { how: "stopped" });
});
