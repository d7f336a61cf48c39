import assert from "node:assert/strict";
import { LibvirtError } from "../../../ffi/error.ts";
import { Refused, Unsettled } from "../../operations/outcome.ts";
import type { Settlement } from "../../operations/settlement.ts";
import type { StepOf } from "../../operations/step.ts";
import { snapshotMade, snapshotReverted } from "./within.ts";
import { localMachine } from "../../machine/machine.ts";

const HERE = localMachine("qemu:///system");

/** `virDomainState` with its reason. */
const STATES = {
  saving: { state: 3, reason: 3 },
  byUser: { state: 3, reason: 1 },
  startingUp: { state: 3, reason: 11 },
  fromSnapshotPaused: { state: 3, reason: 7 },
  fromSnapshot: { state: 1, reason: 4 },
  running: { state: 1, reason: 1 },
  off: { state: 5, reason: 0 },
  shutDown: { state: 5, reason: 1 },
} as const;

/** A settlement with a libvirt whose one VM is in a state. */
function settlement(
  state: keyof typeof STATES,
  { known = [], fails, createdAt = 5 }: { known?: string[]; fails?: string; createdAt?: number } = {},
) {
  const calls: string[] = [];
  const call = (name: string) => {
    calls.push(name);
    if (name === fails) return Promise.reject(new LibvirtError({ kind: "libvirt", message: "no" }));
    if (name === "domainRead") return Promise.resolve(STATES[state]);
    if (name === "domainXml") return Promise.resolve("<domain type='qemu'><name>web</name></domain>");
    const xml = (each: string) =>
      `<domainsnapshot><name>${each}</name><creationTime>${createdAt}</creationTime></domainsnapshot>`;
    if (name === "snapshotScan") {
      return Promise.resolve(known.map((each) => ({ xml: xml(each), isCurrent: true })));
    }
    return Promise.resolve(null);
  };
  const vms = {
    machine: HERE,
    link: { machine: HERE, call },
    inventory: { vm: () => ({ tags: [] }), refresh: () => Promise.resolve() },
  };
  const made = () => calls.filter((name) => !["domainRead", "domainXml", "snapshotScan"].includes(name));
  const operation = { subject: "web", cut: { at: Date.now(), cause: "link" } };
  return { at: { vms, operation } as unknown as Settlement, made };
}

const taken: StepOf<"snapshot-made"> = {
  kind: "snapshot-made",
  uuid: "u",
  name: "web",
  snapshot: "s",
  xml: "<domainsnapshot><name>s</name></domainsnapshot>",
  wasRunning: true,
};
const back: StepOf<"snapshot-reverted"> = {
  kind: "snapshot-reverted",
  tags: [],
  uuid: "u",
  name: "web",
  snapshot: "s",
  state: "running",
  at: Date.now(),
  wasLive: true,
};

Deno.test("snapshotMade has a VM run on that was stopped for it, and takes away what no snapshot has", async () => {
  const left = settlement("saving");
  assert.equal((await snapshotMade.undo!(taken, left.at)).did, "done");
  assert.deepEqual(left.made(), ["domainResume", "snapshotRecord", "snapshotDelete"]);
  const whole = settlement("saving", { known: ["s"] });
  assert.equal((await snapshotMade.undo!(taken, whole.at)).did, "kept");
  assert.deepEqual(whole.made(), ["domainResume"]);
  // Whoever paused it has it paused
  for (const [state, step] of [["byUser", taken], ["saving", { ...taken, wasRunning: false }]] as const) {
    const test = settlement(state, { known: ["s"] });
    await snapshotMade.undo!(step, test.at);
    assert.deepEqual(test.made(), [], state);
  }
  await assert.rejects(snapshotMade.undo!(taken, settlement("saving", { fails: "domainResume" }).at), {
    message: "no",
  });
});

Deno.test("snapshotMade deletes a record of its own that an earlier try has left", async () => {
  const own = settlement("running", { known: ["s"], createdAt: 1 });
  assert.equal((await snapshotMade.undo!(taken, own.at)).did, "done");
  assert.deepEqual(own.made(), ["snapshotDelete"]);
  const whole = settlement("running", { known: ["s"], createdAt: 1_768_000_000 });
  assert.equal((await snapshotMade.undo!(taken, whole.at)).did, "kept");
});

Deno.test("snapshotReverted brings back what a revert has left off or stopped, and leaves alone what runs", async () => {
  const off = settlement("off");
  assert.equal((await snapshotReverted.finish!(back, off.at)).did, "done");
  assert.deepEqual(off.made(), ["snapshotRevert", "domainRenewPasswords"]);
  const stopped = settlement("fromSnapshotPaused");
  assert.equal((await snapshotReverted.finish!(back, stopped.at)).did, "done");
  assert.deepEqual(stopped.made(), ["domainResume", "domainRenewPasswords"]);
  const paused = settlement("fromSnapshotPaused");
  await snapshotReverted.finish!({ ...back, state: "paused" }, paused.at);
  assert.deepEqual(paused.made(), ["domainRenewPasswords"]);
  const running = settlement("running");
  assert.deepEqual(await snapshotReverted.finish!(back, running.at), { did: "nothing", stop: true });
  assert.deepEqual(running.made(), []);
  await assert.rejects(
    async () => await snapshotReverted.finish!(back, settlement("startingUp").at),
    Unsettled,
  );
  await assert.rejects(
    async () => await snapshotReverted.finish!(back, settlement("off", { fails: "snapshotRevert" }).at),
    Refused,
  );
  const since = settlement("shutDown");
  assert.deepEqual(await snapshotReverted.finish!(back, since.at), { did: "nothing", stop: true });
  assert.deepEqual(since.made(), []);
  const late = settlement("off");
  assert.equal((await snapshotReverted.finish!({ ...back, at: Date.now() - 700_000 }, late.at)).did, "left");
  assert.deepEqual(late.made(), []);
});
