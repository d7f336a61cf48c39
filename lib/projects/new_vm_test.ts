import assert from "node:assert/strict";
import { ContractError } from "../contract/mod.ts";
import { configInProject, type MeansHere, poolsOfNames, type ProjectMeans } from "./new_vm.ts";

const means: ProjectMeans = {
  name: "shop",
  pools: ["fast", "slow"],
  networks: ["lan", "dmz"],
  images: ["debian.qcow2", "setup.iso"],
  defaults: { network: "dmz", diskSizeGb: 30 },
};
const here: MeansHere = {
  pools: ["slow"],
  networks: ["lan", "dmz"],
  images: new Map([
    ["debian.qcow2", { pool: "images", volume: "debian.qcow2", kind: "disk" }],
    ["setup.iso", { pool: "isos", volume: "setup.iso", kind: "iso" }],
  ]),
};
const config = (wanted: object, of = means) => configInProject({ name: "web1", ...wanted }, "id", of, here);

Deno.test("a member's VM gets the pool that the host has, the usual network and the usual disk", () => {
  assert.deepEqual(config({}), {
    name: "web1",
    project: "id",
    disks: [{ sizeGb: 30, pool: "slow" }],
    nics: [{ network: "dmz" }],
  });
});

Deno.test("a disk image is copied into the project's pool; an ISO goes into the drive of a VM with an empty disk", () => {
  assert.deepEqual(config({ image: "debian.qcow2" }).disks, [
    { path: "images/debian.qcow2", copyAs: "qcow2", pool: "slow", sizeGb: 30 },
  ]);
  const { disks, isoPath } = config({ image: "setup.iso", diskSizeGb: 5 });
  assert.deepEqual([disks, isoPath], [[{ sizeGb: 5, pool: "slow" }], "isos/setup.iso"]);
});

Deno.test("a usual network that the host has not, or the project does not name, is passed over", () => {
  const defaults = { network: "gone" };
  assert.deepEqual(config({}, { ...means, defaults }).nics, [{ network: "lan" }]);
  assert.deepEqual(configInProject({ name: "a" }, "id", means, { ...here, networks: [] }).nics, []);
});

Deno.test("the user of the first start has the name of the VM as host name", () => {
  assert.deepEqual(config({ name: "web_1.a", user: "ann", userPassword: "x", sshKeys: ["k"] }).cloudInit, {
    form: {
      hostname: "web-1-a",
      users: [{ name: "ann", sudo: "nopasswd", sshKeys: ["k"], password: "x" }],
    },
  });
});

Deno.test("what the project does not name is refused with what it names", () => {
  const refused = (wanted: object, code: string, of = means) =>
    assert.throws(() => config(wanted, of), (error) => error instanceof ContractError && error.code === code);
  refused({ pool: "fast" }, "NotNamedByProject");
  refused({ network: "default" }, "NotNamedByProject");
  refused({ image: "images/debian.qcow2" }, "NotNamedByProject");
  refused({ sshKeys: ["k"] }, "InvalidInput");
  refused({}, "ProjectTakesNoVms", { ...means, pools: [] });
});

Deno.test("An image is looked for by its name where no member can put one first, and in no pool of other projects", () => {
  const ofMembers = new Set(["own", "shared", "other"]);
  const all = ["shared", "images", "other", "own", "default"];
  assert.deepEqual(poolsOfNames(all, { pools: ["own", "away", "shared"] }, ofMembers), [
    ...["default", "images", "own", "shared"],
  ]);
  assert.deepEqual(poolsOfNames(all, { pools: ["own"] }, new Set()), [
    ...["default", "images", "other", "shared", "own"],
  ]);
});
