import assert from "node:assert/strict";
import { askedOf, CallGate, type GatedCall } from "./call_gate.ts";
import { type CallName, CALLS } from "./calls/mod.ts";
import type { CallKey } from "./calls/keys.ts";
import { LibvirtError } from "./error.ts";
import type { Pass } from "./gate.ts";
import { isAtLeast, WAITS } from "./waits.ts";

const NAMES = Object.keys(CALLS) as CallName[];

/** Arguments that any call takes, about one object of each kind. */
const argsFor = (id: string) => ({
  uuid: id,
  pool: id,
  name: id,
  path: `/${id}/volume`,
  type: "netfs",
  spec: id,
  source: { path: `/${id}/other`, pool: id },
  xml: `<domain><uuid>${id}</uuid></domain>`,
});
const A = "11111111-1111-4111-8111-111111111111", B = "22222222-2222-4222-8222-222222222222";
const asked = (name: CallName, id = A): GatedCall => askedOf(name, argsFor(id));
const isRefused = (gate: CallGate, call: GatedCall) => gate.admits(call) instanceof LibvirtError;
const isObject = (key: CallKey) => key.includes(":") && !key.startsWith("host:");

/** Begins a call; it must be admitted. */
function begin(gate: CallGate, call: GatedCall): Pass {
  assert.equal(gate.admits(call), "go", call.name);
  return gate.begin(call);
}

/** Has a call hang. */
function hang(gate: CallGate, call: GatedCall): Pass {
  const pass = begin(gate, call);
  pass.overdue();
  return pass;
}

Deno.test("CallGate asks an object of which a call hangs no more, whichever call it is, and others as before", () => {
  for (const name of NAMES) {
    const call = asked(name), { kind, keys, slowest } = call, gate = new CallGate();
    hang(gate, call);
    if (kind !== "canary" && (keys.length === 0 || WAITS[slowest] === "none")) {
      assert.equal(gate.admits(call), "go", name);
      continue;
    }
    assert.ok(isRefused(gate, call), `${name}: it is not asked again`);
    if (!keys.every(isObject)) continue;
    // libvirt looks a network up by its name, and waits for each that it passes
    const isLookedUp = WAITS[CALLS[name].slowest] === "net";
    const other = gate.admits(asked(name, B));
    assert.equal(other === "go", !isLookedUp, `${name}: another one is`);
    if (kind !== "rescue" && keys[0]!.startsWith("vm:")) {
      assert.equal(gate.admits(asked("domainDestroy")), "go", `${name}: it can be ended`);
    }
  }
});

Deno.test("CallGate opens an object for all once its call has returned and one other has succeeded", () => {
  for (const name of NAMES) {
    const call = asked(name), { kind, keys, slowest } = call;
    if (keys.length === 0 || WAITS[slowest] === "none") continue;
    const gate = new CallGate(), pass = hang(gate, call);
    assert.equal(gate.hangs().length, new Set(keys).size, name);
    pass.returned(true);
    assert.deepEqual(gate.hangs(), [], name);
    const first = begin(gate, call);
    if (kind !== "rescue") assert.equal(gate.admits(call), "wait", `${name}: exactly one`);
    first.returned(true);
    assert.equal(gate.admits(call), "go", name);
  }
});

Deno.test("CallGate refuses the lists of all VMs while the lock of one is held, and admits them when only QEMU hangs", () => {
  for (const name of NAMES) {
    const call = asked(name);
    if (!call.keys.some((key) => key.startsWith("vm:"))) continue;
    const gate = new CallGate();
    hang(gate, call);
    const isHeld = ["mutex", "file"].includes(WAITS[call.slowest]);
    assert.equal(isRefused(gate, asked("domainListStates")), isHeld, name);
    assert.equal(gate.isLocked(`vm:${A}`), isHeld, name);
  }
});

Deno.test("CallGate finds out by one call whether the lock is held, and takes the lists of all in again where it is not", () => {
  const gate = new CallGate();
  hang(gate, asked("domainAttachDevice"));
  assert.ok(isRefused(gate, asked("domainListStates")));
  const probe = begin(gate, asked("domainRead"));
  assert.ok(isRefused(gate, asked("domainRead")), "one finds out");
  probe.returned(true);
  assert.equal(gate.admits(asked("domainListStates")), "go");
  assert.equal(gate.admits(asked("domainXml")), "go");
  assert.ok(isRefused(gate, asked("domainSuspend")), "QEMU is not asked");
});

Deno.test("CallGate counts a late time limit of a call that has returned for nothing", () => {
  const gate = new CallGate(), pass = begin(gate, asked("domainRead"));
  pass.returned(true);
  pass.overdue();
  assert.deepEqual(gate.hangs(), []);
});

Deno.test("CallGate keeps an object closed whose first call after a return hangs, or whose connection was lost", () => {
  const gate = new CallGate();
  hang(gate, asked("domainXml")).returned(true);
  hang(gate, asked("domainXml")).returned(false);
  begin(gate, asked("domainXml")).returned(false);
  const next = begin(gate, asked("domainXml"));
  assert.equal(gate.admits(asked("domainXml")), "wait");
  next.returned(true);
  assert.equal(gate.admits(asked("domainXml")), "go");
});

Deno.test("CallGate leaves libvirtd six workers whatever hangs, and the way out is there", () => {
  const gate = new CallGate();
  let made = 0;
  for (let round = 0; round < 3; round++) {
    for (let each = 0; each < 200; each++) {
      const id = crypto.randomUUID();
      for (const name of NAMES) {
        const call = asked(name, id);
        if (call.kind === "rescue" || WAITS[call.slowest] === "none" || gate.admits(call) !== "go") continue;
        gate.begin(call).overdue();
        made++;
      }
    }
  }
  assert.ok(made <= 12, `${made} calls were let hang`);
  assert.equal(gate.hanging, made);
  assert.equal(gate.admits(asked("domainDestroy", B)), "go");
  gate.begin(asked("domainDestroy", B)).overdue();
  gate.begin(asked("domainDestroy", A)).overdue();
  assert.equal(gate.admits(asked("domainDestroy", crypto.randomUUID())), "wait", "14 of libvirtd's 20");
});

Deno.test("CallGate makes others of a kind one at a time where as many hang as may run", () => {
  const gate = new CallGate();
  for (let each = 0; each < 6; each++) hang(gate, asked("domainXml", crypto.randomUUID()));
  const one = begin(gate, asked("domainXml", B));
  assert.equal(gate.admits(asked("domainXml", crypto.randomUUID())), "wait");
  one.returned(true);
  assert.equal(gate.admits(asked("domainXml", crypto.randomUUID())), "go");
});

Deno.test("CallGate keeps places for quick calls while slow ones take theirs", () => {
  const gate = new CallGate();
  for (const name of ["volumeCopy", "domainManagedSave", "domainSetAutostart"] as const) {
    for (let each = 0; each < 10; each++) {
      const call = asked(name, crypto.randomUUID());
      if (gate.admits(call) === "go") gate.begin(call);
    }
  }
  assert.equal(gate.admits(asked("domainRead", B)), "go");
  assert.equal(gate.admits(asked("domainDestroy", B)), "go");
});

Deno.test("CallGate tells what does not respond, since when and by which function of libvirt", () => {
  const gate = new CallGate();
  let changes = 0;
  gate.onChange(() => changes++);
  const before = Date.now();
  const pass = hang(gate, asked("domainSuspend"));
  const [found] = gate.hangs();
  assert.deepEqual({ ...found, since: 0 }, {
    key: `vm:${A}`,
    since: 0,
    call: "virDomainSuspend",
    isLocked: false,
  });
  assert.ok(found!.since >= before);
  const refusal = gate.admits(asked("domainResume"));
  assert.ok(refusal instanceof LibvirtError && refusal.kind === "silent");
  assert.equal(refusal.hang?.call, "virDomainSuspend");
  pass.returned(true);
  assert.equal(changes, 2);
});

Deno.test("CallGate.suspect() keeps QEMU from being asked, but not libvirt, nor for statistics where that may be", () => {
  const gate = new CallGate(), key = `vm:${A}` as const;
  gate.suspect(key, { call: "its process is stopped", mayBeAsked: false });
  for (const name of ["domainSuspend", "domainAttachDevice", "agentCommand", "domainStatsOne"] as const) {
    assert.ok(isRefused(gate, asked(name)), name);
  }
  assert.equal(gate.admits(asked("domainRead")), "go");
  assert.equal(gate.admits(asked("domainListStates")), "go");
  assert.equal(gate.admits(asked("domainDestroy")), "go");
  gate.suspect(key, { call: "no answer", mayBeAsked: true });
  assert.equal(gate.admits(asked("domainStatsOne")), "go");
  gate.suspect(key, undefined);
  assert.equal(gate.admits(asked("domainSuspend")), "go");
});

Deno.test("CallGate.enter() counts what is no call of the pool in the same way", async () => {
  const gate = new CallGate();
  const pass = await gate.enter("channelOpen", A);
  pass.overdue();
  await assert.rejects(gate.enter("consoleOpen", A), { name: "LibvirtError", kind: "silent" });
  assert.ok(isRefused(gate, asked("domainListStates")));
  (await gate.enter("consoleOpen", B)).returned(true);
  pass.returned(true);
  (await gate.enter("channelOpen", A)).returned(true);
});

Deno.test("isAtLeast() has the waits in their order", () => {
  assert.ok(isAtLeast("file", "mutex") && !isAtLeast("mutex", "job") && isAtLeast("list", "list"));
});
