import assert from "node:assert/strict";
import { ALL_RIGHTS } from "../../lib/access/rights.ts";
import { principalOf } from "../access.ts";
import { TestClock } from "../testing.ts";
import { McpSessions } from "./sessions.ts";

const person = (userId: string) =>
  principalOf({ name: userId, userId, door: "mcp", via: "token", rights: ALL_RIGHTS, holder: userId });

/** Sessions that are opened in the time of one turn, and how many of them are open. */
function opening() {
  const counts = { opened: 0, closed: 0 };
  const open = async () => {
    await Promise.resolve();
    counts.opened++;
    return {
      handle: () => Promise.resolve(new Response()),
      close: () => {
        counts.closed++;
        return Promise.resolve();
      },
    };
  };
  return { counts, open };
}

Deno.test("Of many sessions that one account opens at once, it has sixteen", async () => {
  const sessions = new McpSessions(new TestClock()), { counts, open } = opening();
  await Promise.all(Array.from({ length: 1000 }, () => sessions.begin(person("ann"), "x", open)));
  assert.equal(sessions.size, 16);
  assert.deepEqual(counts, { opened: 1000, closed: 984 });
});

Deno.test("Of many that are opened by many accounts at once, 256 are; the others are refused and closed", async () => {
  const sessions = new McpSessions(new TestClock()), { counts, open } = opening();
  const all = await Promise.allSettled(
    Array.from({ length: 1000 }, (_, at) => sessions.begin(person(`user${at}`), "x", open)),
  );
  const refused = all.filter((each) => each.status === "rejected");
  assert.equal(sessions.size, 256);
  assert.equal(refused.length, 744);
  for (const { reason } of refused) assert.equal(reason.code, "TooManyRequests");
  assert.deepEqual(counts, { opened: 1000, closed: 744 });
});

Deno.test("Accounts that have all the sessions there may be keep no other account out", async () => {
  const clock = new TestClock(), sessions = new McpSessions(clock), { open } = opening();
  const begin = (userId: string) => sessions.begin(person(userId), "x", open);
  for (let at = 0; at < 256; at++) {
    await begin(`greedy${at % 16}`);
    await clock.advance(1000);
  }
  assert.equal(sessions.size, 256);
  const ann = await begin("ann");
  assert.equal(sessions.size, 256);
  assert.equal(sessions.of(ann.id, person("ann")), ann);
  const left = Object.groupBy(sessions.list(), ({ actor }) => actor);
  assert.deepEqual([left.greedy0?.length, left.greedy1?.length, left.ann?.length], [15, 16, 1]);
});
