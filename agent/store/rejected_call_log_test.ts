import assert from "node:assert/strict";
import { TestClock } from "../testing.ts";
import { render } from "../../lib/i18n/message.ts";
import type { ActivityEntry } from "./activity.ts";
import { MOST_ROWS, RejectedCallLog, SPAN_MS } from "./rejected_call_log.ts";

class Bed {
  readonly clock = new TestClock();
  readonly rows: ActivityEntry[] = [];
  readonly refusals = new RejectedCallLog((entry) => void this.rows.push(entry), this.clock);
  fail(address: string, name = "ann", actor = "nobody") {
    this.refusals.add({
      actor,
      door: "api",
      address,
      action: "sign_in",
      result: "error" as const,
      input: { name },
      message: "That is not right.",
    }, { code: "SignInFailed", isAnonymous: actor === "nobody" });
  }
}

Deno.test("RejectedCallLog.add() makes one row of many failures of an address, and one with their number", async () => {
  const bed = new Bed();
  for (let each = 0; each < 1500; each++) bed.fail(`2001:db8::${each.toString(16)}`, `name${each % 3}`);
  assert.equal(bed.rows.length, 1);
  assert.equal(bed.rows[0]!.message, "That is not right.");
  await bed.clock.advance(SPAN_MS);
  bed.refusals.tidy();
  assert.equal(bed.rows.length, 2);
  const { message, input, actor, address } = bed.rows[1]!;
  assert.equal(render(message), "1499 more of the same kind: That is not right.");
  const { count, names } = input as { count: number; names: string[] };
  assert.deepEqual([actor, count, names.toSorted()], ["nobody", 1499, ["name0", "name1", "name2"]]);
  assert.match(address!, /^2001:db8::/);
  bed.fail("2001:db8::1");
  assert.equal(bed.rows.length, 3, "a new time span begins with a row");
});

Deno.test("RejectedCallLog.add() keeps a quota, however many addresses fail and for however long (threat 24)", async () => {
  const bed = new Bed();
  const spans = 4;
  for (let span = 0; span < spans; span++) {
    for (let each = 0; each < 3000; each++) bed.fail(`10.${each >> 8}.${each & 255}.1`);
    await bed.clock.advance(SPAN_MS);
  }
  bed.refusals.close();
  assert.ok(bed.rows.length <= spans * (MOST_ROWS.anonymous + 21), `${bed.rows.length} rows`);
  const counted = bed.rows.reduce((sum, { input }) => sum + ((input as { count?: number }).count ?? 1), 0);
  assert.equal(counted, spans * 3000, "every one is counted");
});

Deno.test("RejectedCallLog.add() gives each user a row for each failure, up to a quota of their own", () => {
  const bed = new Bed();
  for (let each = 0; each < 500; each++) bed.fail("192.0.2.1", "x", "eve");
  for (let each = 0; each < 5; each++) bed.fail("192.0.2.1", "x", "ann");
  for (let each = 0; each < 5; each++) bed.fail("192.0.2.1", "x");
  const of = (who: string) => bed.rows.filter(({ actor }) => actor === who).length;
  assert.deepEqual([of("eve"), of("ann"), of("nobody")], [MOST_ROWS.user, 5, 1]);
  bed.refusals.close();
  assert.deepEqual([of("eve"), of("ann"), of("nobody")], [MOST_ROWS.user + 1, 5, 2]);
});
