/** A linked host whose KVM Manager is one release newer, or older: it still lists and acts, and what is lacking says so. */
import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/mod.ts";
import { VERSION } from "../../lib/version.ts";
import { appHere } from "../testbed/app_here.ts";
import { hostileLink } from "../testbed/hostile_link.ts";
import { until } from "../testbed/wait.ts";

const URI = "test:///default";
const OWN = "cccccccc-0000-4000-8000-000000000001", OTHER = "cccccccc-0000-4000-8000-000000000002";

Deno.test("linked_versions: a newer one's VM whose update is not understood says so, and what it lacks does", async (t) => {
  await using here = await appHere([], URI);
  const { api } = here;
  const [local] = await api.getVms();
  await using far = await hostileLink(await api.getConnectionStatus());
  const vm = (id: string, more = {}) => ({ ...local!, id, name: id.slice(-1), colour: "red", ...more });
  far.said.vms = [vm(OWN), vm(OTHER)];
  await api.joinHost({ name: "newer", invitation: far.invitation });
  await until("it to be read", async () => (await api.getVms()).length === 3);
  const row = async (id: string) => (await api.getVms()).find((each) => each.id === id);
  const step = async (name: string, run: () => Promise<void>) => assert.ok(await t.step(name, run), name);

  await step("fields that this version does not know break nothing", async () => {
    assert.deepEqual([(await row(OWN))?.host, (await row(OWN))?.notUnderstoodSince], ["newer", undefined]);
  });
  await step("an update that is not understood is told with its age, and breaks no list", async () => {
    const before = Date.now();
    far.tell("vm-updated", { vm: vm(OWN, { state: "hibernating" }) });
    far.tell("vm-created", { vm: vm("cccccccc-0000-4000-8000-000000000003", { state: "hibernating" }) });
    const stale = await until("it to be marked", async () => {
      const found = await row(OWN);
      return found?.notUnderstoodSince === undefined ? undefined : found;
    });
    assert.ok(stale.notUnderstoodSince! >= before && stale.notUnderstoodSince! <= Date.now());
    assert.equal(stale.state, local!.state, "it is shown as it was");
    assert.match(stale.attention.join(), /Update KVM Manager here\.$/);
    far.said.answers.get_vm = vm(OWN, { state: "hibernating" });
    assert.deepEqual(await api.getVm({ vmId: OWN }), stale, "and so is it alone");
    delete far.said.answers.get_vm;
    assert.equal((await row(OTHER))?.notUnderstoodSince, undefined);
    assert.equal((await api.listHosts()).find(({ id }) => id === "newer")?.linked?.unknownVms, 1);
  });
  await step("an update that is understood takes the mark away", async () => {
    far.tell("vm-updated", { vm: vm(OWN, { state: "paused" }) });
    const again = await until("it to be understood", async () => {
      const found = await row(OWN);
      return found?.state === "paused" ? found : undefined;
    });
    assert.deepEqual([again.notUnderstoodSince, again.attention], [undefined, local!.attention]);
  });
  await step("VMs of hosts that an older one reads are none of its own, and claim nothing", async () => {
    far.tell("vm-created", { vm: vm("cccccccc-0000-4000-8000-000000000004", { host: "beyond" }) });
    // This host, where the link goes both ways
    far.tell("vm-updated", { vm: vm(local!.id, { host: "back", state: "paused" }) });
    far.tell("vm-state-changed", { vmId: local!.id, state: "paused" });
    far.tell("vm-updated", { vm: vm(OTHER, { state: "paused" }) });
    await until("what came last", async () => (await row(OTHER))?.state === "paused");
    assert.equal((await api.getVms()).length, 3);
    assert.equal((await row(local!.id))?.state, local!.state);
    assert.deepEqual((await api.listHosts()).flatMap(({ foreignVms }) => foreignVms), []);
  });
  await step("a command that the other one does not have says so, with both versions", async () => {
    far.refusals.get_networks = { code: "UnknownCommand", message: "There is no command get_networks" };
    const failure = await api.getNetworks({ host: "newer" }).then(() => undefined, (error: unknown) => error);
    assert.ok(failure instanceof ContractError);
    assert.equal(failure.code, "LinkedHostNonsense");
    assert.ok(failure.message.includes(`its version is 0, this one ${VERSION}`), failure.message);
  });
  await step("an answer that is not understood says so", async () => {
    far.said.answers.get_networks = [{ name: "lan", mode: "teleport" }];
    await assert.rejects(
      api.getNetworks({ host: "newer" }),
      /get_networks is not as the contract of this version says/,
    );
  });
});
