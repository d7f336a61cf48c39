import assert from "node:assert/strict";
import { ContractError } from "../contract/errors.ts";
import {
  HIDDEN_MESSAGE,
  HIDDEN_VM,
  isNoTarget,
  mentionedIn,
  redact,
  redactLog,
  redactRefusal,
  redactText,
  splitTargets,
} from "./redact.ts";

const sight = {
  sees: (vmId: string) => vmId === "mine",
  hiddenNames: new Set(["secret", "other", "theirs"]),
  seesTag: (tag: string) => tag === "lab",
  seesGroup: (group: string) => group === "web",
};
const hide = (value: unknown) => redact(value, sight);

Deno.test("redact() keeps what is seen, and says of the rest only that there is something", () => {
  const mine = { vmId: "mine", name: "web" }, theirs = { vmId: "theirs", name: "secret" };
  const volume = { name: "disk", usedBy: [mine, theirs, { vmId: "third", name: "other" }] };
  const before = structuredClone(volume);
  assert.deepEqual(hide([volume]), [{ name: "disk", usedBy: [mine, { vmId: "", name: HIDDEN_VM }] }]);
  assert.deepEqual(volume, before, "the answer itself is not changed");
  assert.deepEqual(hide({ usedBy: ["web", "secret", "other"] }), { usedBy: ["web", HIDDEN_VM] });
});

Deno.test("redact() does not say of which machine out of sight a template was made", () => {
  const version = (source: string) => ({ version: 1, createdBy: "ann", source });
  const shown = hide({ versions: [version("web"), version("secret"), version("default/secret.qcow2")] });
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

Deno.test("redact() tells no sentence that names a machine out of sight: why a run of a schedule or a backup failed", () => {
  const run = (message: string | null) => ({ state: "failed", message, lastRun: { message } });
  const hidden = run(HIDDEN_MESSAGE);
  assert.deepEqual(hide([run("1 of 2 failed. secret: It is paused")]), [hidden]);
  assert.deepEqual(hide([run("1 of 2 failed. web: It is paused")]), [
    run("1 of 2 failed. web: It is paused"),
  ]);
  assert.deepEqual(hide(run(null)), run(null));
  const disk = (user: string) => ({ path: "/a", deletable: false, reason: `it is also used by ${user}` });
  assert.deepEqual(hide([disk("secret"), disk("web")]), [
    { ...disk("secret"), reason: HIDDEN_MESSAGE },
    disk("web"),
  ]);
  const warnings = ["/a is used by secret, too.", "It has a new UUID: web has the one it had.", {
    code: "A",
  }];
  assert.deepEqual(hide({ warnings }), { warnings: [HIDDEN_MESSAGE, warnings[1], warnings[2]] });
});

Deno.test("redactRefusal() tells that something stands in the way, not what", () => {
  const told = (details: Record<string, unknown>, code: "VolumeInUse" | "NetworkInUse" = "VolumeInUse") =>
    redactRefusal(new ContractError(code, details), sight);
  const error = told({ vm: "secret", pool: "p", name: "disk" });
  assert.equal(error.message, `Volume is used by ${HIDDEN_VM}: disk (storage pool p)`);
  assert.ok(!JSON.stringify(error).includes("secret"));
  assert.match(told({ vm: "web", pool: "p", name: "disk" }).message, /used by web/);
  const network = told({ network: "n", vms: "web, secret", vmIds: ["mine", "theirs"] }, "NetworkInUse");
  assert.deepEqual([network.details?.vms, network.details?.vmIds], [HIDDEN_VM, ["mine"]]);
  assert.ok(!network.message.includes("secret"));
});

Deno.test("redactRefusal() tells no reason that names a machine out of sight", () => {
  const told = (reason: string) =>
    redactRefusal(new ContractError("DiskRefused", { path: "/images/a.img", reason }), sight);
  const error = told("it belongs to the snapshot first of secret, and must not change");
  assert.equal(error.message, `Disk image cannot be used: /images/a.img (${HIDDEN_MESSAGE})`);
  assert.ok(!JSON.stringify(error).includes("secret"));
  assert.match(told("web has it as qcow2, not as raw").message, /web has it as qcow2/);
});

Deno.test("mentionedIn() finds machines that a message names, as words of their own or by their ids", () => {
  const vms = [
    ...[{ id: "1", name: "web" }, { id: "2", name: "web-1" }, { id: "3", name: "a.b" }, {
      id: "4444-4",
      name: "zz",
    }],
    ...[{ id: "5", name: "VM" }, { id: "6", name: "Würfel" }],
  ];
  const found = (text: string, besides?: string) => mentionedIn(text, vms, besides);
  assert.deepEqual(found("Volume is used by web: disk"), ["1"]);
  assert.deepEqual(found("used by web-1, a.b"), ["1", "2", "3"], "a name before a dash may be one");
  assert.deepEqual(found("webs and cobweb, axb, zzz"), []);
  assert.deepEqual(found("VM not found: 4444-4"), ["4444-4", "5"]);
  assert.deepEqual(found("used by web", "1"), []);
  assert.deepEqual(found("Würfel"), ["6"]);
});

Deno.test("redactText() tells nothing of a text that names a machine out of sight", () => {
  assert.equal(redactText("copied secret's disk", sight), HIDDEN_MESSAGE);
  assert.equal(redactText("copied web's disk, secretly", sight), "copied web's disk, secretly");
});

Deno.test("redactLog() tells of a task's log neither names of machines out of sight nor how many there are", () => {
  const told = (...texts: string[]) =>
    redactLog(texts.map((text, at) => ({ at, text })), sight).map(({ at, text }) => [at, text]);
  assert.deepEqual(
    told(
      ...["3 VMs are meant", "Copying other", "other: done", "Copying web", "Copying secret", "web: done"],
      ...["secret: done", "Deleted 3 older copies", "Freed 1 MiB"],
    ),
    [[1, HIDDEN_MESSAGE], [3, "Copying web"], [5, "web: done"], [8, "Freed 1 MiB"]],
  );
});

Deno.test("redactText() tells why a run failed without how many machines it was for", () => {
  assert.equal(redactText("It failed for 2 of 7 VMs. web: It is paused", sight), "web: It is paused");
  assert.equal(redactText("It failed for 2 of 7 VMs. secret: It is paused", sight), HIDDEN_MESSAGE);
});
