import assert from "node:assert/strict";
import { Unsettled } from "../operations/outcome.ts";
import type { Settlement } from "../operations/settlement.ts";
import type { StepOf } from "../operations/step.ts";
import { vmSteps } from "./steps.ts";
import { localMachine } from "../machine/machine.ts";

/** `virDomainState` with its reason. */
const STATES = {
  startingUp: { state: 3, reason: 11 },
  running: { state: 1, reason: 1 },
  off: { state: 5, reason: 6 },
} as const;

/** A settlement with a libvirt whose one machine is in a state, until it is ended. @param cutAt when it was cut short */
function settlement(first: keyof typeof STATES, cutAt = Date.now()) {
  const calls: string[] = [];
  let state = first;
  const at = {
    vms: {
      machine: localMachine("qemu:///system"),
      link: {
        uri: "qemu:///system",
        machine: localMachine("qemu:///system"),
        call: (name: string) => {
          calls.push(name);
          if (name === "domainDestroy") state = "off";
          if (name === "domainXml") return Promise.resolve("<domain/>");
          return Promise.resolve(name === "domainRead" ? { ...STATES[state], summary: { disks: [] } } : true);
        },
      },
      requireVm: () => ({ networkInterfaces: [] }),
      inventory: { vm: () => undefined, network: () => undefined, refresh: () => Promise.resolve() },
    },
    operation: { actor: "ann", subject: "web", cut: { at: cutAt, cause: "link" } },
  } as unknown as Settlement;
  return { at, calls };
}

const about = { uuid: "u", name: "web", at: Date.now() } as const;

Deno.test("A start that libvirtd was killed in is settled once it is known how it ended", async () => {
  const step: StepOf<"start-wanted"> = { kind: "start-wanted", ...about, networks: [] };
  const rule = vmSteps["start-wanted"];
  const open = settlement("startingUp");
  await assert.rejects(rule.finish!(step, open.at), Unsettled);
  assert.deepEqual(open.calls, ["domainRead"], "nothing was done yet");
  const off = settlement("off");
  assert.equal((await rule.finish!(step, off.at)).did, "done");
  assert.ok(off.calls.includes("domainStart"), "libvirtd has ended its QEMU: it is started again");
  const running = settlement("running");
  assert.equal((await rule.finish!(step, running.at)).did, "done");
  assert.equal(running.calls.includes("domainStart"), false);
});

Deno.test("A definition is not left behind because a start of it was not over", async () => {
  const step: StepOf<"domain-made"> = { kind: "domain-made", ...about };
  const open = settlement("startingUp");
  await assert.rejects(vmSteps["domain-made"].undo!(step, open.at), Unsettled);
  const running = settlement("running");
  assert.equal((await vmSteps["domain-made"].undo!(step, running.at)).did, "left");
});

Deno.test("A start that never ends is ended once libvirt had its time for it, and begun again or taken back", async () => {
  const longAgo = Date.now() - 151_000;
  const wanted: StepOf<"start-wanted"> = { kind: "start-wanted", ...about, networks: [] };
  const open = settlement("startingUp", longAgo);
  assert.equal((await vmSteps["start-wanted"].finish!(wanted, open.at)).did, "done");
  assert.deepEqual(open.calls, ["domainRead", "domainDestroy", "domainRead", "domainXml", "domainStart"]);
  const made: StepOf<"domain-made"> = { kind: "domain-made", ...about };
  const early = settlement("startingUp", Date.now() - 149_000);
  await assert.rejects(vmSteps["domain-made"].undo!(made, early.at), Unsettled);
  assert.equal(early.calls.includes("domainDestroy"), false);
  const running = settlement("running", longAgo);
  assert.equal((await vmSteps["domain-made"].undo!(made, running.at)).did, "left");
  assert.equal(running.calls.includes("domainDestroy"), false, "what runs is not ended");
});
