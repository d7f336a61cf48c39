import assert from "node:assert/strict";
import { ContractError } from "../contract/errors.ts";
import { HIDDEN_VM, refusalWithoutHidden, withoutHidden } from "./hidden.ts";

const sight = { sees: (vmId: string) => vmId === "mine", hiddenNames: new Set(["secret", "other"]) };
const hide = (value: unknown) => withoutHidden(value, sight);

Deno.test("withoutHidden() keeps what is seen, and says of the rest only that there is something", () => {
  const mine = { vmId: "mine", name: "web" }, theirs = { vmId: "theirs", name: "secret" };
  const volume = { name: "disk", usedBy: [mine, theirs, { vmId: "third", name: "other" }] };
  const before = structuredClone(volume);
  assert.deepEqual(hide([volume]), [{ name: "disk", usedBy: [mine, { vmId: "", name: HIDDEN_VM }] }]);
  assert.deepEqual(volume, before, "the answer itself is not changed");
  assert.deepEqual(hide({ usedBy: ["web", "secret", "other"] }), { usedBy: ["web", HIDDEN_VM] });
});

Deno.test("withoutHidden() leaves machines out of networks and the topology, and guests' names out of leases", () => {
  const lease = { ip: "192.0.2.7", mac: "m", hostname: "secret", vmId: "theirs", vmName: "secret" };
  assert.deepEqual(hide([lease, { ...lease, vmId: "mine" }, { ip: "192.0.2.9", hostname: "printer" }]), [
    { ip: "192.0.2.7", mac: "m", vmName: HIDDEN_VM },
    { ...lease, vmId: "mine" },
    { ip: "192.0.2.9", hostname: "printer" },
  ]);
  const machine = { vmId: "theirs", name: "secret", state: "running", nics: [] };
  assert.deepEqual(hide({ machines: [machine], devices: [] }), { machines: [], devices: [] });
  assert.deepEqual(hide({ vms: [{ vmId: "theirs", name: "secret", macs: ["m"] }] }), { vms: [] });
});

Deno.test("withoutHidden() leaves what was asked for by its id: it tells nothing new", () => {
  const results = [{ vmId: "theirs", success: false, error: { code: "VmNotFound" } }];
  assert.deepEqual(hide({ results }), { results });
});

Deno.test("refusalWithoutHidden() tells that something stands in the way, not what", () => {
  const told = (details: Record<string, unknown>, code: "VolumeInUse" | "NetworkInUse" = "VolumeInUse") =>
    refusalWithoutHidden(new ContractError(code, details), sight);
  const error = told({ vm: "secret", pool: "p", name: "disk" });
  assert.equal(error.message, `Volume is used by ${HIDDEN_VM}: disk (storage pool p)`);
  assert.ok(!JSON.stringify(error).includes("secret"));
  assert.match(told({ vm: "web", pool: "p", name: "disk" }).message, /used by web/);
  const network = told({ network: "n", vms: "web, secret", vmIds: ["mine", "theirs"] }, "NetworkInUse");
  assert.deepEqual([network.details?.vms, network.details?.vmIds], [HIDDEN_VM, ["mine"]]);
  assert.ok(!network.message.includes("secret"));
});
