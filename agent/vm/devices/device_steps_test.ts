/** Changes of devices are taken back or finished whatever of them took place, on a libvirt that is played. */
import assert from "node:assert/strict";
import { LibvirtError } from "../../../ffi/error.ts";
import type { Settlement } from "../../operations/settlement.ts";
import { deviceSteps } from "./device_steps.ts";

const AT = { uuid: "11111111-1111-1111-1111-111111111111", name: "web", device: "disk vdb" };
const disk = (serial: string) => `<disk><target dev='vdb'/><serial>${serial}</serial></disk>`;
const refused = new LibvirtError({ kind: "libvirt", message: "no", code: 1, domain: 1 });
const lost = new LibvirtError({ kind: "lost", message: "client socket is closed" });

interface World {
  /** libvirt's number of its run; null: it is off. */
  readonly run: string | null;
  /** Its devices, in either configuration. */
  readonly devices: string;
  readonly isGone?: true;
  readonly fails?: Error;
}

/** A settlement that records the changes that it asks of libvirt. */
function settlement({ run, devices, isGone, fails }: World): { at: Settlement; changes: unknown[][] } {
  const changes: unknown[][] = [];
  const answers: Readonly<Record<string, (input: { inactive?: boolean }) => unknown>> = {
    domainRead: () => isGone ? null : { state: run === null ? 5 : 1, persistent: true },
    domainXml: ({ inactive }) =>
      `<domain type='kvm'${inactive ? "" : ` id='${run}'`}><devices>${devices}</devices></domain>`,
  };
  const link = {
    watch: () => () => {},
    call: (name: string, input: Record<string, unknown>) => {
      if (answers[name] !== undefined) return Promise.resolve(answers[name](input));
      if (fails) return Promise.reject(fails);
      changes.push([name, input.xml ?? input.limits, input.live ?? true]);
      return Promise.resolve(null);
    },
  };
  return {
    at: { vms: { link, machine: null, inventory: { vm: () => undefined } } } as unknown as Settlement,
    changes,
  };
}

/** How a change was settled, and what libvirt was asked for. */
async function undone(step: { before: string | null; after: string; run: string | null }, world: World) {
  const { at, changes } = settlement(world);
  const { did } = await deviceSteps["device-changed"].undo!({ kind: "device-changed", ...AT, ...step }, at);
  return [did, ...changes];
}

Deno.test("a device that was added goes again, where it took place", async () => {
  const step = { before: null, after: disk("b"), run: null };
  assert.deepEqual(await undone(step, { run: "3", devices: disk("b") }), [
    "done",
    ["domainDetachDevice", disk("b"), false],
  ]);
  assert.deepEqual(await undone(step, { run: "3", devices: "" }), ["nothing"]);
  assert.deepEqual(await undone(step, { run: null, devices: "", isGone: true }), ["nothing"]);
});

Deno.test("a device that was changed is as it was, unless it is so, or gone", async () => {
  const step = { before: disk("a"), after: disk("b"), run: "3" };
  assert.deepEqual(await undone(step, { run: "3", devices: disk("b") }), [
    "done",
    ["domainUpdateDevice", disk("a"), true],
  ]);
  assert.deepEqual(await undone(step, { run: "3", devices: disk("a") }), ["nothing"]);
  assert.deepEqual(await undone(step, { run: "3", devices: "" }), ["nothing"], "somebody took it away");
});

Deno.test("a VM that was started since, or is off, is left alone", async () => {
  const step = { before: disk("a"), after: disk("b"), run: "3" };
  for (const run of ["4", null]) {
    assert.deepEqual(await undone(step, { run, devices: disk("b") }), ["nothing"], String(run));
  }
  const limits = {
    kind: "limits-changed",
    ...AT,
    run: "3",
    of: "disk",
    target: "vdb",
    before: { read_iops_sec: 7 },
  } as const;
  for (
    const [run, expected] of [["3", [["domainSetBlockIoTune", { read_iops_sec: 7 }, true]]], [
      "4",
      [],
    ]] as const
  ) {
    const { at, changes } = settlement({ run, devices: disk("b") });
    await deviceSteps["limits-changed"].undo!(limits, at);
    assert.deepEqual(changes, expected);
  }
});

Deno.test("what libvirt refuses to take back is left and told; without libvirt it is tried again", async () => {
  const step = { before: disk("a"), after: disk("b"), run: null };
  assert.deepEqual(await undone(step, { run: null, devices: disk("b"), fails: refused }), ["left"]);
  await assert.rejects(undone(step, { run: null, devices: disk("b"), fails: lost }), lost);
});

Deno.test("a device that goes is gone, or there again, whatever of it took place", async () => {
  const step = { kind: "device-doomed", ...AT, run: null, xml: disk("b") } as const;
  const settled = async (how: "finish" | "undo", world: World) => {
    const { at, changes } = settlement(world);
    const { did } = await deviceSteps["device-doomed"][how]!(step, at);
    return [did, ...changes.map(([name]) => name)];
  };
  const there = { run: null, devices: disk("b") }, gone = { run: null, devices: "" };
  assert.deepEqual(await settled("finish", there), ["done", "domainDetachDevice"]);
  assert.deepEqual(await settled("finish", gone), ["nothing"]);
  assert.deepEqual(await settled("undo", gone), ["done", "domainAttachDevice"]);
  assert.deepEqual(await settled("undo", there), ["nothing"]);
  await assert.rejects(settled("finish", { ...there, fails: refused }), { name: "Refused" });
});
