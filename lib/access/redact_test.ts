import assert from "node:assert/strict";
import { ContractError, type ErrorCode } from "../contract/errors.ts";
import { message, render, rendered, type Sentence, vmName } from "../i18n/message.ts";
import {
  HIDDEN_MESSAGE,
  HIDDEN_VM,
  isNoTarget,
  redact,
  redactError,
  redactLog,
  redactSentence,
  splitTargets,
} from "./redact.ts";

/** VMs as messages name them; the first is seen. */
const WEB = vmName({ id: "mine", name: "web" }), SECRET = vmName({ id: "theirs", name: "secret" });
const OTHER = vmName({ id: "third", name: "other" });

const sight = {
  sees: (vmId: string) => vmId === "mine",
  seesTag: (tag: string) => tag === "lab",
  seesGroup: (group: string) => group === "web",
};
const hide = (value: unknown) => rendered(redact(value, sight));

Deno.test("redact() keeps what is seen, and says of the rest only that there is something", () => {
  const mine = { vmId: "mine", name: "web" }, theirs = { vmId: "theirs", name: "secret" };
  const volume = { name: "disk", usedBy: [mine, theirs, { vmId: "third", name: "other" }] };
  const before = structuredClone(volume);
  assert.deepEqual(hide([volume]), [{ name: "disk", usedBy: [mine, { vmId: "", name: HIDDEN_VM }] }]);
  assert.deepEqual(volume, before, "the answer itself is not changed");
  assert.deepEqual(hide({ usedBy: [WEB, SECRET, OTHER] }), { usedBy: ["web", HIDDEN_VM] });
});

Deno.test("redact() does not say of which machine out of sight a template was made", () => {
  const version = (source: unknown) => ({ version: 1, createdBy: "ann", source });
  const shown = hide({ versions: [version(WEB), version(SECRET), version("default/secret.qcow2")] });
  const told = (shown as { versions: { source: string }[] }).versions.map(({ source }) => source);
  assert.deepEqual(told, ["web", HIDDEN_VM, "default/secret.qcow2"]);
});

Deno.test("redact() leaves machines out of networks and the topology, and guests' names out of leases", () => {
  const lease = { ip: "192.0.2.7", mac: "m", hostname: "secret", vmId: "theirs", vmName: "secret" };
  assert.deepEqual(hide([lease, { ...lease, vmId: "mine" }, { ip: "192.0.2.9", hostname: "printer" }]), [
    { ip: "192.0.2.7", mac: "m", vmName: HIDDEN_VM },
    { ...lease, vmId: "mine" },
    { ip: "192.0.2.9", hostname: "printer" },
  ]);
  const machine = { vmId: "theirs", name: "secret", state: "running", nics: [] };
  assert.deepEqual(hide({ vms: [machine], devices: [] }), { vms: [], devices: [] });
  assert.deepEqual(hide({ vms: [{ vmId: "theirs", name: "secret", macs: ["m"] }] }), { vms: [] });
});

Deno.test("redact() leaves out what a run came to for machines out of sight, and half of nothing", () => {
  const copy = (vmId: string) => ({ vmId, name: vmId, state: "done", storedBytes: 1, disks: ["vda"] });
  assert.deepEqual(hide({ copies: [copy("mine"), copy("theirs")] }), { copies: [copy("mine")] });
  const result = (vmId: string) => ({ vmId, name: vmId, outcome: "done" });
  assert.deepEqual(hide({ counts: { done: 2, failed: 1 }, results: [result("theirs"), result("mine")] }), {
    counts: { done: 1, failed: 0 },
    results: [result("mine")],
  });
});

Deno.test("redact() leaves out targets that no machine in sight is, or has, and says that there are others", () => {
  const targets = { vmIds: ["mine", "theirs"], tags: ["lab", "payroll"], groups: ["web", "board"] };
  assert.deepEqual(hide([{ name: "nightly", targets: { all: false, ...targets } }]), [{
    name: "nightly",
    targets: { all: false, vmIds: ["mine"], tags: ["lab"], groups: ["web"], hidden: true },
  }]);
  const seen = { targets: { vmIds: ["mine"], tags: [], groups: [] } };
  assert.deepEqual(hide(seen), seen);
  assert.deepEqual(hide({ targets: ["vda"] }), { targets: ["vda"] }, "disks have targets, too");
});

Deno.test("splitTargets() parts what is seen from what is not, and loses nothing", () => {
  const targets = { vmIds: ["theirs", "mine"], tags: ["payroll"], groups: ["web"] };
  const { seen, hidden } = splitTargets(targets, sight);
  assert.deepEqual(seen, { vmIds: ["mine"], tags: [], groups: ["web"] });
  assert.deepEqual(hidden, { vmIds: ["theirs"], tags: ["payroll"], groups: [] });
  assert.deepEqual([isNoTarget(hidden), isNoTarget({ vmIds: [], tags: [], groups: [] })], [false, true]);
});

Deno.test("redact() leaves what was asked for by its id: it tells nothing new", () => {
  const results = [{ vmId: "theirs", success: false, error: { code: "VmNotFound" } }];
  assert.deepEqual(hide({ results }), { results });
});

Deno.test("redact() tells no sentence that names a VM out of sight: why a run of a schedule or a backup failed", () => {
  const run = (text: Sentence | null) => ({ state: "failed", message: text, lastRun: { message: text } });
  const hidden = run(HIDDEN_MESSAGE);
  assert.deepEqual(hide([run(message`It is held by ${SECRET}`)]), [hidden]);
  assert.deepEqual(hide([run(message`It is held by ${WEB}`)]), [run("It is held by web")]);
  assert.deepEqual(hide(run(null)), run(null));
  const disk = (reason: Sentence) => ({ path: "/a", deletable: false, reason });
  assert.deepEqual(
    hide([disk(message`it is also used by ${SECRET}`), disk(message`it is also used by ${WEB}`)]),
    [
      disk(HIDDEN_MESSAGE),
      disk("it is also used by web"),
    ],
  );
  const warnings = [message`/a is used by ${SECRET}`, message`${WEB} has the one it had`, { code: "A" }];
  assert.deepEqual(hide({ warnings }), {
    warnings: [HIDDEN_MESSAGE, "web has the one it had", { code: "A" }],
  });
});

const told = (code: ErrorCode, details: Record<string, unknown>) =>
  redactError(new ContractError(code, details), sight);

Deno.test("redactError() tells that something stands in the way, not what", () => {
  const error = told("VolumeInUse", { vm: SECRET, pool: "p", name: "disk" });
  assert.equal(error.message, `Volume is used by ${HIDDEN_VM}: disk (storage pool p)`);
  assert.doesNotMatch(JSON.stringify([error, error.details]), /secret|theirs/);
  assert.deepEqual(told("VolumeInUse", { vm: WEB, pool: "p", name: "disk" }).toJSON().details, {
    vm: "web",
    pool: "p",
    name: "disk",
  });
  const network = told("NetworkInUse", {
    network: "n",
    vms: [WEB, SECRET, OTHER],
    vmIds: ["mine", "theirs", "third"],
  });
  assert.deepEqual(network.toJSON().details, {
    network: "n",
    vms: `web, ${HIDDEN_VM}`,
    vmIds: ["mine"],
  });
  const many = Array.from({ length: 40 }, (_, at) => vmName({ id: `${at}`, name: `hidden${at}` }));
  assert.equal(told("NetworkInUse", { network: "n", vms: many }).toJSON().details!.vms, HIDDEN_VM);
});

Deno.test("redactError() tells no reason that names a VM out of sight, with its files", () => {
  const refused = (reason: unknown) => told("DiskRefused", { path: "/a.img", reason });
  const error = refused(message`it belongs to the snapshot ${"first"} of ${SECRET}: ${"/secret.img"}`);
  assert.equal(error.message, `Disk image cannot be used: /a.img (${HIDDEN_MESSAGE})`);
  assert.doesNotMatch(JSON.stringify([error, error.details]), /secret|first/);
  assert.match(refused(message`${WEB} has it as qcow2`).message, /web has it as qcow2/);
  const foreign = { $foreign: "domain secret is there", vmIds: ["mine", "theirs"] };
  assert.doesNotMatch(JSON.stringify(refused(foreign)), /secret|theirs/);
});

Deno.test("redactError() calls what it does not name a VM, where that is in the middle of a sentence", () => {
  const foreign = { $foreign: "secret", vmIds: ["theirs"] };
  for (const what of [foreign, message`${SECRET} on default`]) {
    const error = told("StorageBusy", { what });
    assert.equal(
      error.message,
      `${HIDDEN_VM} is busy with another operation. Wait for it to end, then try again.`,
    );
  }
});

Deno.test("redactError() tells an error in another one as itself", () => {
  const inner = new ContractError("VolumeInUse", { vm: SECRET, pool: "p", name: "secret.img" });
  const error = told("BackupFailed", { error: inner.sentence });
  assert.equal(error.message, `Failed to back up: ${HIDDEN_MESSAGE}`);
});

Deno.test("redactError() tells why a run failed without how many VMs it was for", () => {
  const run = (first: Sentence) => told("BackupRunFailed", { failed: { $vms: 2 }, all: { $vms: 7 }, first });
  const error = run(message`${WEB}: It is paused`);
  assert.equal(error.message, "web: It is paused");
  assert.deepEqual(error.toJSON().details, { first: "web: It is paused" });
  assert.equal(run(message`${SECRET}: It is paused`).message, HIDDEN_MESSAGE);
});

Deno.test("redactLog() keeps in a task's log neither names of VMs out of sight nor how many there are", () => {
  const log = [
    message`${{ $vms: 3 }} VMs are meant`,
    ...[message`Copying ${OTHER}`, message`${OTHER}: done`, message`Copying ${WEB}`],
    ...[message`Copying ${SECRET}`, message`${WEB}: done`, message`${SECRET}: done`, "Freed 1 MiB"],
  ];
  assert.deepEqual(
    redactLog(log.map((text, at) => ({ at, text })), sight).map(({ at, text }) => [at, render(text)]),
    [[1, HIDDEN_MESSAGE], [3, "Copying web"], [5, "web: done"], [7, "Freed 1 MiB"]],
  );
});

Deno.test("redactSentence() leaves a message that names no VM out of sight as it is", () => {
  const kept = message`Copying ${WEB} to ${"/secret.img"}`;
  assert.deepEqual(redactSentence(kept, sight), kept);
  assert.equal(redactSentence("plain", sight), "plain");
});
