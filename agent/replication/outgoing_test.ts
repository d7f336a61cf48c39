import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { ALL_RIGHTS } from "../../lib/access/rights.ts";
import { principalOf } from "../access.ts";
import { TestClock } from "../testing.ts";
import { OutgoingReplications, type OutgoingServices } from "./outgoing.ts";
import type { StoredReplication } from "./records.ts";

const replication = (id: string, toHost: string): StoredReplication => ({
  id,
  toHost,
  vmId: id,
  vmName: id,
  everySeconds: 60,
  maxLagSeconds: 600,
  isPaused: false,
  maxMibPerSecond: 0,
  takeOld: false,
  owner: { kind: "user", id: "u", name: "ann" } as never,
  createdAt: 0,
  finished: null,
  images: {},
  lastRun: null,
});

/** Replications to a host that never answers, and to one that does, of VMs of which some do not respond. */
function replicating(all: readonly StoredReplication[], silent: ReadonlySet<string> = new Set()) {
  const clock = new TestClock(), asked: string[] = [];
  const rows = new Map(all.map((row) => [row.id, row]));
  const outgoing = {
    all: () => [...rows.values()],
    get: (id: string) => rows.get(id),
    require: () => outgoing,
    change: (id: string, change: object) => {
      rows.set(id, { ...rows.get(id)!, ...change });
      return rows.get(id);
    },
  };
  const services = {
    host: () => ({
      inventory: {
        filled: true,
        vm: (id: string) => ({ name: id, ...(silent.has(id) && { notResponding: { since: 0, call: "x" } }) }),
      },
      record: () => {},
    }),
    linked: {
      served: (label: string) => ({
        label,
        callerHeaders: () => ({}),
        peer: {
          line: () => {
            asked.push(label);
            return label === "hung" ? new Promise(() => {}) : Promise.reject(new Error("it is away"));
          },
        },
      }),
    },
    records: { outgoing, lostOf: () => undefined },
    clock,
    stateDir: "/nonexistent",
    principalOf: () => principalOf({ name: "ann", door: "schedule", via: "token", rights: ALL_RIGHTS }),
  } as unknown as OutgoingServices;
  const replications = new OutgoingReplications(services);
  const tick = async () => {
    replications.tick();
    await setImmediate();
  };
  return { clock, asked, tick };
}

Deno.test("a linked host that never answers keeps the replications to other hosts waiting for minutes alone", async () => {
  const toHung = ["a", "b", "c"].map((id) => replication(id, "hung"));
  const { clock, asked, tick } = replicating([...toHung, replication("d", "good")]);
  await tick();
  await tick();
  assert.deepEqual(asked, ["hung", "hung"]);
  await clock.advance(9 * 60_000);
  await tick();
  assert.deepEqual(asked, ["hung", "hung"], "what may be slow is given some minutes");
  await clock.advance(2 * 60_000);
  await tick();
  await tick();
  assert.deepEqual(asked, ["hung", "hung", "good"], "no more to the host that does not answer");
});

Deno.test("VMs that stop responding while they are replicated keep no others waiting", async () => {
  const silent = new Set<string>(), rows = ["a", "b", "c", "d"].map((id) => replication(id, "hung"));
  const { asked, tick } = replicating(rows, silent);
  await tick();
  await tick();
  assert.equal(asked.length, 2);
  silent.add("a");
  await tick();
  assert.equal(asked.length, 3, "its place is another's");
  silent.add("b");
  await tick();
  await tick();
  assert.equal(asked.length, 4);
  await tick();
  assert.equal(asked.length, 4, "and each is under way once");
});
