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
