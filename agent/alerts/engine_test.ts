import { render, type Unrendered } from "../../lib/i18n/message.ts";
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { type AlertRule, MOST_OPEN_INCIDENTS } from "../../lib/contract/mod.ts";
import type { PublishedEvent } from "../../lib/contract/events.ts";
import type { Observation } from "../../lib/alerts/watch.ts";
import { Store } from "../store/store.ts";
import { TestClock } from "../testing.ts";
import { AlertEngine } from "./engine.ts";
import { MOST_ITEMS, Outbox } from "./outbox.ts";
import { ALERT_MIGRATIONS, AlertRecords, type AlertTargetRecord, HISTORY_MS } from "./records.ts";

const RULE: AlertRule = {
  id: "rule",
  name: "CPU is busy",
  severity: "warning",
  watches: "vm_metric",
  series: "cpu_usage",
  comparison: "above",
  threshold: 90,
  checks: 2,
  scope: "everything",
  enabled: true,
  createdAt: 0,
};
const TARGET: AlertTargetRecord = {
  id: "target",
  name: "Ops",
  channel: "webhook",
  enabled: true,
  minSeverity: "warning",
  privateAddresses: false,
  url: "https://hooks.example/x",
};

/** A store in a folder of its own, and the engine over it, as often as it is started. */
function world(clock = new TestClock()) {
  const folder = Deno.makeTempDirSync({ prefix: "kvmm-test-alerts-" });
  const events: Unrendered<PublishedEvent>[] = [];
  const held = new Set<string>();
  let store: Store | undefined;
  const start = () => {
    store?.close();
    store = new Store(folder, () => {}, [{ name: "alerts", migrations: ALERT_MIGRATIONS }]);
    const records = new AlertRecords(store), outbox = new Outbox(records, clock);
    const publish = (told: readonly Unrendered<PublishedEvent>[]) => void events.push(...told);
    const engine = new AlertEngine({
      records,
      outbox,
      clock,
      publish,
      groupOf: (id) => id === "v1" ? "g" : undefined,
      isHeld: (hostId) => held.has(hostId),
    });
    records.attach((open) => engine.takeUp(open));
    return {
      records,
      outbox,
      engine,
      clock,
      events,
      folder,
      held,
      /** One check of all alerts on VMs, the first being v0. */
      check: (...seen: Observation[]) => {
        const round = engine.begin(({ watches }) => watches === "vm_metric");
        for (const rule of round.rules) {
          seen.forEach((each, index) =>
            round.see(
              rule,
              {
                host: "local",
                vmId: `v${index}`,
                vmName: `vm ${index}`,
                group: index === 1 ? "g" : undefined,
                label: "",
              },
              each,
              95,
            )
          );
        }
        round.end(() => "gone");
      },
      fired: () => events.filter(([name]) => name === "alert-fired").length,
      only: (rule: AlertRule = RULE) => {
        for (const { id } of records.rules.all) records.delete(records.rules, id);
        records.put(records.rules, rule);
      },
    };
  };
  return {
    start,
    [Symbol.dispose]: () => {
      store?.close();
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

Deno.test("AlertEngine: an incident fires once, is acknowledged, is over, and stands in the history", () => {
  using place = world();
  const { engine, check, only, events, fired, records } = place.start();
  only();
  check("bad");
  assert.deepEqual([engine.counts().get("rule"), engine.incidents()], [{ pending: 1, firing: 0 }, []]);
  check("bad");
  check("bad");
  const [incident] = engine.incidents();
  assert.equal(render(incident!.message), "CPU usage is 95 %, above 90 %");
  assert.equal(fired(), 1);
  engine.acknowledge(incident!.id, "ann");
  check("bad");
  assert.deepEqual([engine.incidents()[0]!.state, engine.incidents()[0]!.acknowledgedBy, fired()], [
    "acknowledged",
    "ann",
    1,
  ]);
  check("good");
  check("unknown");
  check("good");
  assert.deepEqual(engine.incidents(), []);
  assert.deepEqual(records.history(10).map(({ state, ended, id }) => [state, ended, id]), [[
    "resolved",
    "cleared",
    incident!.id,
  ]]);
  assert.throws(() => engine.acknowledge(incident!.id, "ann"), { code: "IncidentOver" });
  assert.throws(() => engine.acknowledge("nothing", "ann"), { code: "IncidentNotFound" });
  assert.ok(events.length > 0);
});

Deno.test("AlertEngine: a restart neither fires again nor loses what fires, nor what was acknowledged", () => {
  using place = world();
  const first = place.start();
  first.only();
  first.records.put(first.records.targets, TARGET);
  first.check("bad", "bad");
  first.check("bad", "bad");
  const ids = first.engine.incidents().map(({ id }) => id).sort();
  first.engine.acknowledge(ids[0]!, "ann");
  assert.equal(first.fired(), 2);
  const again = place.start();
  assert.deepEqual(again.engine.incidents().map(({ id }) => id).sort(), ids);
  assert.equal(again.engine.incidents().find(({ id }) => id === ids[0])!.state, "acknowledged");
  again.check("bad", "bad");
  again.check("bad", "bad");
  assert.equal(again.fired(), 2, "nothing fired again");
  assert.equal(again.records.messages.size, 1, "what waits to be sent waits on");
  assert.equal(again.records.messages.all[0]!.items.length, 2);
  again.check("good", "gone");
  again.check("good", "gone");
  assert.deepEqual(again.records.history(5).map(({ ended }) => ended).sort(), ["cleared", "gone"]);
});

Deno.test("AlertEngine: default alerts are there on day one, and stay away once they were deleted", () => {
  using place = world();
  const { records } = place.start();
  assert.ok(records.rules.size >= 8);
  assert.ok(records.rules.all.every(({ createdAt }) => createdAt > 0));
  records.delete(records.rules, "vm-cpu");
  const again = place.start();
  assert.equal(again.records.rules.get("vm-cpu"), undefined);
  assert.notEqual(again.records.rules.get("vm-crashed"), undefined);
});

Deno.test("AlertEngine: who is silenced is told nothing, and what still fires at the end is told then", async () => {
  using place = world();
  const { engine, check, only, fired, records, clock } = place.start();
  only();
  records.put(records.targets, TARGET);
  const now = clock.now();
  records.put(records.silences, {
    id: "s",
    scope: "group",
    group: "g",
    startsAt: now + 60_000,
    endsAt: now + 120_000,
    by: "ann",
  });
  await clock.advance(60_000);
  check("bad", "bad");
  check("bad", "bad");
  assert.deepEqual(engine.incidents().map(({ vmId, silenced }) => [vmId, silenced]).sort(), [["v0", false], [
    "v1",
    true,
  ]]);
  assert.equal(fired(), 1);
  assert.deepEqual(records.messages.all.map(({ items }) => items.map(({ incident }) => incident.vmId)), [[
    "v0",
  ]]);
  await clock.advance(60_000);
  check("bad", "bad");
  assert.deepEqual(records.messages.all.map(({ items }) => items.map(({ incident }) => incident.vmId)), [[
    "v0",
    "v1",
  ]]);
  check("bad", "bad");
  assert.equal(records.messages.all[0]!.items.length, 2, "once");
  assert.deepEqual(engine.incidents().map(({ silenced }) => silenced), [false, false]);
  records.put(records.silences, {
    id: "later",
    scope: "everything",
    startsAt: clock.now(),
    endsAt: clock.now() + 60_000,
    by: "ann",
  });
  assert.deepEqual(
    engine.incidents().map(({ silenced }) => silenced),
    [true, true],
    "said also of what people were told of before",
  );
});

Deno.test("AlertEngine: a host in maintenance sends no message until it is over", () => {
  using place = world();
  const { engine, check, only, records, held } = place.start();
  only();
  records.put(records.targets, TARGET);
  held.add("local");
  check("bad");
  check("bad");
  assert.deepEqual(engine.incidents().map(({ silenced }) => silenced), [true]);
  assert.equal(records.messages.size, 0);
  held.clear();
  check("bad");
  assert.deepEqual(engine.incidents().map(({ silenced }) => silenced), [false]);
  assert.deepEqual(records.messages.all.map(({ items }) => items.length), [1]);
});

Deno.test("AlertEngine: an alert that is changed, switched off or deleted has nothing open", () => {
  using place = world();
  const { engine, check, only, records } = place.start();
  only({ ...RULE, checks: 1 });
  check("bad");
  engine.forget("rule");
  assert.deepEqual([engine.incidents(), records.history(5)[0]!.ended], [[], "changed"]);
  records.put(records.rules, { ...RULE, checks: 1, enabled: false });
  check("bad");
  assert.deepEqual(engine.incidents(), []);
});

Deno.test("AlertEngine: 10,000 at once are bounded and told in few messages; what is beyond is said", () => {
  using place = world();
  const { engine, check, only, events, fired, records } = place.start();
  only({ ...RULE, checks: 1 });
  records.put(records.targets, TARGET);
  const started = performance.now();
  check(...Array<Observation>(MOST_OPEN_INCIDENTS + 500).fill("bad"));
  assert.ok(performance.now() - started < 10_000);
  assert.equal(engine.incidents().length, MOST_OPEN_INCIDENTS);
  assert.equal(fired(), 20);
  const last = events.findLast(([name]) => name === "alert-fired");
  assert.equal(last?.[0] === "alert-fired" && last[1].more, MOST_OPEN_INCIDENTS - 20);
  assert.equal(events.filter(([name]) => name === "error").length, 1);
  const [message] = records.messages.all;
  assert.deepEqual([records.messages.size, message!.items.length, message!.more], [
    1,
    MOST_ITEMS,
    MOST_OPEN_INCIDENTS - MOST_ITEMS,
  ]);
  check(...Array<Observation>(MOST_OPEN_INCIDENTS + 500).fill("bad"));
  assert.equal(events.filter(([name]) => name === "error").length, 1, "said once");
});

Deno.test("AlertEngine: what cannot be written is written later, with its message", () => {
  using place = world();
  const { engine, check, only, records, folder } = place.start();
  only({ ...RULE, checks: 1 });
  records.put(records.targets, TARGET);
  using other = new DatabaseSync(join(folder, "kvm-manager.db"));
  other.exec(
    "CREATE TRIGGER full BEFORE INSERT ON alert_incidents BEGIN SELECT RAISE(ABORT, 'disk full'); END",
  );
  check("bad");
  assert.deepEqual([engine.incidents().length, records.messages.size], [1, 0]);
  other.exec("DROP TRIGGER full");
  check("bad");
  assert.equal(records.messages.size, 1);
  assert.equal(place.start().engine.incidents().length, 1);
});

Deno.test("AlertEngine: a simulated year with restarts, gaps and clocks that are set ends with a bounded history", async () => {
  const clock = new TestClock();
  using place = world(clock);
  let run = place.start();
  run.only();
  let firing = 0;
  const HOUR = 3600_000;
  for (let hour = 0; hour < 365 * 24; hour++) {
    // Each day is bad from 9 to 15 o'clock, with a gap at noon
    const of = hour % 24, seen: Observation = of === 12 ? "unknown" : of >= 9 && of < 15 ? "bad" : "good";
    run.check(seen);
    if (hour % 500 === 250) run = place.start();
    if (hour === 3000) clock.set(clock.now() + HOUR);
    if (hour === 6000) clock.set(clock.now() - HOUR);
    if (hour % 24 === 0) run.records.prune(clock.now());
    await clock.advance(HOUR);
    firing = Math.max(firing, run.engine.incidents().length);
  }
  assert.equal(firing, 1);
  const fired = run.fired();
  assert.ok(fired >= 345 && fired <= 365, `fired ${fired} times in 365 days`);
  const history = run.records.history(1000);
  assert.ok(history.length >= 85 && history.length <= 92, String(history.length));
  assert.ok(history.every(({ endedAt }) => endedAt! >= clock.now() - HISTORY_MS - 25 * HOUR));
});
