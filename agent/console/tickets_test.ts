import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/mod.ts";
import { type Grant, TICKET_MS, Tickets } from "./tickets.ts";

const GRANT: Grant = { vmId: "a", kind: "vnc", viewOnly: true, force: false, holder: "session:1" };

const code = (run: () => unknown) => {
  try {
    run();
    return "ok";
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    return error.code;
  }
};

Deno.test("Tickets are good once, and give what was granted", () => {
  const tickets = new Tickets();
  const ticket = tickets.issue(GRANT);
  assert.match(ticket, /^[\w-]{43}$/);
  assert.notEqual(tickets.issue(GRANT), ticket);
  assert.deepEqual(tickets.redeem(ticket, GRANT), GRANT);
  assert.equal(code(() => tickets.redeem(ticket, GRANT)), "ConsoleTicket");
});

Deno.test("Tickets are for their machine, kind and principal; a wrong try uses them up (threats 12, 13)", () => {
  const tickets = new Tickets();
  for (const wrong of [{ vmId: "b" }, { holder: "session:2" }, { kind: "serial" as Grant["kind"] }]) {
    const ticket = tickets.issue(GRANT);
    assert.equal(code(() => tickets.redeem(ticket, { ...GRANT, ...wrong })), "ConsoleTicket");
    assert.equal(code(() => tickets.redeem(ticket, GRANT)), "ConsoleTicket");
  }
  assert.equal(code(() => tickets.redeem("", GRANT)), "ConsoleTicket");
});

Deno.test("Tickets expire, and their number is bounded", () => {
  let now = 0;
  const tickets = new Tickets(() => now);
  const ticket = tickets.issue(GRANT);
  now += TICKET_MS;
  assert.equal(code(() => tickets.redeem(ticket, GRANT)), "ConsoleTicket");
  let issued = 0;
  while (code(() => tickets.issue(GRANT)) === "ok") issued++;
  assert.equal(issued, 256);
  now += TICKET_MS;
  assert.equal(code(() => tickets.issue(GRANT)), "ok", "expired ones make room");
});
