import assert from "node:assert/strict";
import type { IncomingState } from "../../../lib/host/migration_protocol.ts";
import type { Settlement } from "../../operations/settlement.ts";
import type { VmOutgoing } from "../../operations/step.ts";
import { migrationSteps } from "./steps.ts";

const VM = { uuid: "11111111-1111-4111-8111-111111111111", name: "web1" };

Deno.test("a VM that did not come is not in the inventory any more when its volumes are taken back", async () => {
  // As long as libvirt's event has not come
  const known = new Set([VM.uuid]);
  const vms = {
    link: { call: () => Promise.resolve(null) },
    inventory: { refresh: (uuid: string) => Promise.resolve(known.delete(uuid)) },
  };
  const at = { vms } as unknown as Settlement;
  assert.deepEqual(await migrationSteps["vm-incoming"].undo!({ kind: "vm-incoming", ...VM }, at), {
    did: "nothing",
  });
  assert.deepEqual([...known], []);
});

/** A host on which a VM runs after libvirt took its move back. @param there its state on the other one */
function takenBack(there: IncomingState, reason = 6) {
  const calls: string[] = [];
  let domain: object | null = { ...VM, state: 1, reason, persistent: true };
  const done: Readonly<Record<string, () => unknown>> = {
    domainRead: () => domain,
    domainXml: () => `<domain><name>web1</name><uuid>${VM.uuid}</uuid></domain>`,
    domainDestroy: () => void (domain = { ...VM, state: 5, reason: 2, persistent: true }),
    domainUndefine: () => void (domain = null),
  };
  const vms = {
    link: {
      call: (name: string) => {
        if (name !== "domainRead" && name !== "domainXml") calls.push(name);
        return Promise.resolve(done[name]!());
      },
    },
    inventory: { refresh: () => Promise.resolve() },
    stateOn: () => Promise.resolve(there),
  };
  const step: VmOutgoing = {
    kind: "vm-outgoing",
    ...VM,
    to: "there",
    wasRunning: true,
    wasOff: false,
    old: [],
  };
  const at = { vms, operation: { actor: "ann" } } as unknown as Settlement;
  return { calls, settle: () => migrationSteps["vm-outgoing"].undo!(step, at) };
}

Deno.test("a VM that runs on both hosts, for the last answer was lost, is ended at its source", async () => {
  const { calls, settle } = takenBack("running");
  const { did, note } = await settle();
  assert.deepEqual([did, calls], ["kept", ["domainDestroy", "domainUndefine"]]);
  assert.match(note ?? "", /ran on both hosts/);
});

Deno.test("a VM whose move was taken back goes on where the other host does not run it", async () => {
  for (const there of ["missing", "off"] as const) {
    const { calls, settle } = takenBack(there);
    assert.deepEqual([await settle(), calls], [{ did: "nothing" }, []]);
  }
  const undecided = takenBack("incoming");
  await assert.rejects(undecided.settle(), { name: "Unsettled" });
  assert.deepEqual(undecided.calls, []);
  // It never stood still for the last moment: the other host cannot have it
  const early = takenBack("running", 1);
  assert.deepEqual([await early.settle(), early.calls], [{ did: "nothing" }, []]);
});

/** A host that a VM has come to by libvirt alone, off. @param there its state on the host that it was to leave */
function comeByLibvirt(there: IncomingState | Error) {
  const calls: string[] = [];
  let domain: object | null = { ...VM, state: 5, reason: 0, persistent: true };
  const vms = {
    link: {
      call: (name: string) => {
        if (name === "domainUndefineKeeping") domain = null;
        if (name !== "domainRead" && name !== "domainXml") calls.push(name);
        return Promise.resolve(name === "domainRead" ? domain : "<domain/>");
      },
    },
    inventory: { refresh: () => Promise.resolve() },
    stateOn: () => there instanceof Error ? Promise.reject(there) : Promise.resolve(there),
  };
  const at = { vms } as unknown as Settlement;
  return {
    calls,
    settle: () => migrationSteps["vm-incoming"].undo!({ kind: "vm-incoming", ...VM, leaves: "far" }, at),
  };
}

Deno.test("a VM that has not left its host yet is taken away where it was to come", async () => {
  for (const there of ["off", "running"] as const) {
    const { calls, settle } = comeByLibvirt(there);
    assert.deepEqual([await settle(), calls], [{ did: "nothing" }, ["domainUndefineKeeping"]]);
  }
});

Deno.test("a VM that is gone from the host that it left stays, and so does one of which that is not known", async () => {
  const { calls, settle } = comeByLibvirt("missing"), { did, stop } = await settle();
  assert.deepEqual([did, stop, calls], ["kept", true, []]);
  const away = comeByLibvirt(new Error("no connection"));
  await assert.rejects(away.settle(), { name: "Unsettled" });
  assert.deepEqual(away.calls, []);
});
