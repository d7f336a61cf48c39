import assert from "node:assert/strict";
import Type from "typebox";
import { DAY_MS } from "../duration.ts";
import { COMMANDS } from "../contract/mod.ts";
import { ForeignTimestamp, Instant, Timestamp } from "../contract/schema.ts";
import { shiftMoments } from "./host_moments.ts";

const Row = Type.Object({
  at: Timestamp,
  ended: Type.Union([Timestamp, Type.Null()]),
  signed: ForeignTimestamp,
  count: Type.Integer(),
  since: Type.Optional(Instant),
  times: Type.Array(Timestamp),
});

Deno.test("shiftMoments() moves what is by the host's clock, and nothing else", () => {
  const at = 1_800_000_000_000, row = { at, ended: null, signed: at, count: 5, times: [at, 0] };
  const moved = { at: at - DAY_MS, ended: null, signed: at, count: 5, times: [at - DAY_MS, 0] };
  assert.deepEqual(shiftMoments(Row, row, -DAY_MS), moved);
  assert.deepEqual(shiftMoments(Row, shiftMoments(Row, row, -DAY_MS), DAY_MS), row);
  assert.equal(shiftMoments(Row, row, 0), row);
  assert.equal(shiftMoments(Row, { ...row, since: 5 }, -DAY_MS).since, 0, "nothing is before 1970");
});

Deno.test("answers of commands are moved: VMs, tasks, the audit log", () => {
  const entry = { timestamp: 2 * DAY_MS, actor: "a", message: null, id: 3 };
  const { output } = COMMANDS.get_audit_log;
  assert.deepEqual(shiftMoments(output, [entry] as never, -DAY_MS), [{ ...entry, timestamp: DAY_MS }]);
  const { input } = COMMANDS.get_audit_log;
  assert.deepEqual(shiftMoments(input, { since: DAY_MS, limit: 5 }, DAY_MS), { since: 2 * DAY_MS, limit: 5 });
  const time = { vmId: "v", time: DAY_MS };
  assert.equal(shiftMoments(COMMANDS.guest_set_time.input, time, DAY_MS), time, "a guest's clock is its own");
});
