import assert from "node:assert/strict";
import { aVm } from "../text/vm_fixture_test.ts";
import { findCommands, type PaletteScope } from "./palette.ts";

const nic = { mac: "52:54:00:00:00:01", network: "lab", type: "network", linkUp: true };
const scope: PaletteScope<"page"> = {
  vms: [
    aVm({ name: "web-01", state: "stopped" }),
    aVm({
      id: "2",
      name: "db-01",
      tags: ["prod"],
      networkInterfaces: [{ ...nic, ipAddresses: ["192.0.2.7/24"] }],
    }),
    aVm({ id: "3", name: "a-very-long-name-that-has-nearly-every-letter-of-quick-brown-foxes" }),
  ],
  hosts: [],
  otherVms: [],
  pages: [
    { href: "/", label: "Dashboard", icon: "page" },
    { href: "/settings/health", label: "Health", icon: "page" },
  ],
  networks: [{ name: "lab", bridge: "virbr7", subnets: [] }],
  pools: [{ name: "default", path: "/srv/images" }],
  images: [{ pool: "default", name: "debian-13.qcow2" }, { pool: "default", name: "db-01.qcow2" }],
  controllable: true,
  maySignOut: true,
};
const found = (typed: string, more: Partial<typeof scope> = {}) =>
  findCommands(typed, { ...scope, ...more }).map(({ command }) => command);
const labels = (typed: string, more?: Partial<typeof scope>) => found(typed, more).map(({ label }) => label);

Deno.test("findCommands() begins with the pages", () => assert.equal(labels("")[0], "Dashboard"));
Deno.test("findCommands() finds a VM, then its console, then what can be done to it; what does harm comes last", () => {
  assert.deepEqual(labels("web-").slice(0, 3), ["web-01", "Console of web-01", "Start web-01"]);
  const db = labels("db-01"), xml = db.indexOf("XML of db-01");
  assert.equal(db[1], "Console of db-01");
  assert.equal(db.at(-1), "db-01.qcow2");
  assert.ok(db.indexOf("Pause db-01") < xml);
  for (const harm of ["Shut down", "Force off", "Reset"]) assert.ok(db.indexOf(`${harm} db-01`) > xml, harm);
  assert.equal(labels("force db-01")[0], "Force off db-01");
});
Deno.test("findCommands() finds an action by its words", () => {
  assert.equal(labels("start web")[0], "Start web-01");
  assert.equal(labels("shut db")[0], "Shut down db-01");
});
Deno.test("findCommands() finds a page of a VM, also while nothing can be done", () => {
  assert.equal(labels("serial web")[0], "Serial of web-01");
  assert.equal(labels("console db", { controllable: false })[0], "Console of db-01");
});
Deno.test("findCommands() offers no action while nothing can be done", () => {
  assert.deepEqual(labels("start web", { controllable: false }), []);
});
Deno.test("findCommands() finds VMs by address and tag, networks, pools, images, settings, and the way out", () => {
  assert.deepEqual(labels("192.0.2"), ["db-01"]);
  assert.deepEqual(labels("prod"), ["db-01"]);
  assert.deepEqual(labels("virbr7"), ["lab"]);
  assert.equal(labels("default")[0], "default");
  assert.deepEqual(found("debian").map(({ effect }) => effect), [
    { kind: "go", href: "/storage/default?q=debian-13.qcow2" },
  ]);
  assert.deepEqual(labels("sign out"), ["Sign out"]);
  assert.deepEqual(labels("sign out", { maySignOut: false, vms: [] }), []);
});
Deno.test("findCommands() keeps letters that are scattered over a text for where nothing has the words", () => {
  assert.deepEqual(labels("health"), ["Health"]);
  assert.equal(labels("w1")[0], "web-01");
});

Deno.test("findCommands() finds hosts and the VMs of all; VMs of a host that is away are led to alone", () => {
  const there = { error: null, since: 0, connected: true };
  const hosts = [
    { id: "local", label: "kvm1", ...there },
    { id: "attic", label: "Second floor", ...there, connected: false },
    { id: "cellar", label: "cellar", ...there },
  ];
  const vms = [aVm({ name: "here", host: "kvm1" }), aVm({ id: "9", name: "upstairs", host: "attic" })];
  const otherVms = [aVm({ id: "10", name: "downstairs", host: "cellar" })];
  const all = (typed: string) => found(typed, { vms, otherVms, hosts });
  assert.deepEqual(
    all("second").map(({ label, hint, effect }) => [label, hint, effect]).slice(0, 1),
    [["Second floor", "Host, not connected", { kind: "go", href: "/hosts/attic/" }]],
  );
  assert.equal(all("attic")[0]?.label, "Second floor", "by its id");
  assert.equal(all("here")[0]?.hint, "Running on kvm1");
  assert.ok(all("here").some(({ effect }) => effect.kind === "act"));
  const upstairs = all("upstairs");
  assert.deepEqual([upstairs[0]?.hint, upstairs[1]?.label], [
    "Running on Second floor",
    "Console of upstairs",
  ]);
  assert.ok(upstairs.every(({ effect }) => effect.kind === "go"));
  assert.deepEqual(all("downstairs").map(({ label, hint }) => [label, hint]), [[
    "downstairs",
    "Running on cellar",
  ]]);
});
