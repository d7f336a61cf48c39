import assert from "node:assert/strict";
import { TestClock } from "../testing.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { TICKET_MS, type TicketGrant, Tickets } from "./tickets.ts";

const GRANT: TicketGrant = { vmId: "a", kind: "vnc", viewOnly: true, force: false, holder: "session:1" };

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
  const ticket = tickets.issue(GRANT, "ann");
  assert.match(ticket, /^[\w-]{43}$/);
  assert.notEqual(tickets.issue(GRANT, "ann"), ticket);
  assert.deepEqual(tickets.redeem(ticket, GRANT), GRANT);
  assert.equal(code(() => tickets.redeem(ticket, GRANT)), "ConsoleTicket");
});

Deno.test("Tickets are for their machine, kind and principal; a wrong try uses them up (threats 12, 13)", () => {
  const tickets = new Tickets();
  for (const wrong of [{ vmId: "b" }, { holder: "session:2" }, { kind: "serial" as TicketGrant["kind"] }]) {
    const ticket = tickets.issue(GRANT, "ann");
    assert.equal(code(() => tickets.redeem(ticket, { ...GRANT, ...wrong })), "ConsoleTicket");
    assert.equal(code(() => tickets.redeem(ticket, GRANT)), "ConsoleTicket");
  }
  assert.equal(code(() => tickets.redeem("", GRANT)), "ConsoleTicket");
});

Deno.test("Tickets expire, and their number is bounded", async () => {
  const clock = new TestClock();
  const tickets = new Tickets(clock);
  const ticket = tickets.issue(GRANT, "ann");
  await clock.advance(TICKET_MS);
  assert.equal(code(() => tickets.redeem(ticket, GRANT)), "ConsoleTicket");
  await clock.advance(TICKET_MS);
  for (let account = 0; account < 313; account++) {
    for (let each = 0; each < 32 && code(() => tickets.issue(GRANT, `${account}`)) === "ok"; each++);
  }
  assert.equal(code(() => tickets.issue(GRANT, "one more")), "TooManyRequests");
  await clock.advance(TICKET_MS);
  assert.equal(code(() => tickets.issue(GRANT, "ann")), "ok", "expired ones make room");
});

Deno.test("Tickets of one account beyond its quota cost its own oldest alone (threat 24)", () => {
  const tickets = new Tickets(new TestClock());
  const bobs = tickets.issue(GRANT, "bob");
  const anns = Array.from({ length: 1000 }, () => tickets.issue(GRANT, "ann"));
  assert.equal(code(() => tickets.redeem(bobs, GRANT)), "ok");
  assert.equal(anns.filter((ticket) => code(() => tickets.redeem(ticket, GRANT)) === "ok").length, 32);
});
