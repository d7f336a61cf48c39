/** One line per guest: shared, closed when it is unused, opened again with pauses. */
import assert from "node:assert/strict";
import { TestClock } from "../../testing.ts";
import { AgentFailure } from "./failure.ts";
import { OwnAgentLines } from "./lines.ts";
import { FakeGuest, RESULTS } from "./testing.ts";

/** Lets promises go on. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Lines to honest guests, and what was opened. */
function linesTo(answer: ConstructorParameters<typeof FakeGuest>[0] = ({ method }) => RESULTS.get(method)) {
  const clock = new TestClock(), guests: FakeGuest[] = [];
  const lines = new OwnAgentLines(() => {
    const guest = new FakeGuest(answer);
    guests.push(guest);
    return Promise.resolve(guest.streams);
  }, clock);
  return { clock, guests, lines };
}

Deno.test("all who want something of a guest share one line", async () => {
  const { guests, lines } = linesTo();
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => lines.use("a", (client) => client.call("ping"))),
  );
  assert.equal(answers.length, 20);
  assert.equal(guests.length, 1);
  await lines.use("b", (client) => client.call("ping"));
  assert.equal(guests.length, 2);
  await lines.stop();
  assert.equal(lines.size, 0);
  await assert.rejects(lines.use("a", (client) => client.call("ping")), { reason: "closed" });
});

Deno.test("a line is closed when it was unused for a while, and not while it is used", async () => {
  const { clock, guests, lines } = linesTo();
  const lease = await lines.lease("a");
  await lines.use("a", (client) => client.call("ping"));
  await clock.advance(120_000);
  assert.equal(lines.size, 1);
  lease[Symbol.dispose]();
  lease[Symbol.dispose](); // twice is once
  await clock.advance(4000);
  assert.equal(lines.size, 1);
  await clock.advance(2000);
  await settle();
  assert.equal(lines.size, 0);
  await lines.use("a", (client) => client.call("ping"));
  assert.equal(guests.length, 2);
  await lines.stop();
});

Deno.test("a line that is not used is closed when asked to", async () => {
  const { lines } = linesTo();
  const lease = await lines.lease("a");
  lines.closeUnused("a");
  assert.equal(lines.size, 1);
  lease[Symbol.dispose]();
  lines.closeUnused("a");
  await settle();
  assert.equal(lines.size, 0);
  lines.closeUnused("a");
  await lines.stop();
});

Deno.test("a line that fails is tried again after pauses that grow, and only when somebody asks", async () => {
  const clock = new TestClock();
  let tries = 0;
  const lines = new OwnAgentLines(() => {
    tries++;
    return Promise.reject(new AgentFailure("taken", "another has it"));
  }, clock);
  const ask = () => assert.rejects(lines.use("a", (client) => client.call("ping")), { reason: "taken" });
  for (let n = 0; n < 50; n++) await ask();
  assert.equal(tries, 1);
  await clock.advance(600);
  await Promise.all([ask(), ask()]);
  assert.equal(tries, 2);
  await clock.advance(600);
  await ask();
  assert.equal(tries, 2);
  await clock.advance(500);
  await ask();
  assert.equal(tries, 3);
  await clock.advance(3_600_000);
  assert.equal(tries, 3);
  lines.forget("a"); // another system runs in it
  await ask();
  assert.equal(tries, 4);
  await lines.stop();
});

Deno.test("whoever waits for a guest that is gone is told at once", async () => {
  const { guests, lines } = linesTo(({ method }) => method === "ping" ? undefined : RESULTS.get(method));
  const waiting = lines.use("a", (client) => client.call("ping"));
  await settle();
  lines.forget("a");
  await assert.rejects(waiting, { reason: "closed" });
  await lines.use("a", (client) => client.call("get_users"));
  assert.equal(guests.length, 2);
  guests[1]!.leave();
  await settle();
  await lines.use("a", (client) => client.call("get_users"));
  assert.equal(guests.length, 3);
  await lines.stop();
});

Deno.test("a guest that floods its line is cut off, and left in peace for a moment", async () => {
  const { clock, guests, lines } = linesTo();
  await lines.use("a", (client) => client.call("ping"));
  const flood = '{"jsonrpc":"2.0","method":"exec_output","params":{"id":1,"stream":"stdout","data":""}}\n\n';
  guests[0]!.send(flood.repeat(10_000));
  await settle();
  assert.equal(lines.size, 0);
  await assert.rejects(lines.use("a", (client) => client.call("ping")), { reason: "invalid" });
  await clock.advance(1000);
  assert.ok((await lines.use("a", (client) => client.call("ping"))).pong);
  await lines.stop();
});

Deno.test("an agent that was killed and started again answers nothing of before: who waits is told soon", async () => {
  let pid = 412;
  const info = RESULTS.get("get_agent_info") as object;
  const { clock, lines } = linesTo(({ method }) =>
    method === "get_agent_info" ? { ...info, pid } : method === "ping" ? undefined : RESULTS.get(method)
  );
  const waiting = lines.use("a", (client) => client.call("ping"));
  waiting.catch(() => {}); // told below
  await settle();
  await clock.advance(10_000);
  await settle();
  assert.equal(lines.size, 1);
  pid++;
  await clock.advance(10_000);
  await assert.rejects(waiting, { reason: "closed" });
  assert.ok(await lines.use("a", (client) => client.call("get_users")));
  await lines.stop();
  await clock.advance(10_000);
  assert.equal(clock.waiting, 0);
});
