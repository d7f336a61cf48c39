/** Rows of the database whose files are gone, as after an older state was put back: the bin and templates say so. */
import assert from "node:assert/strict";
import { appHere } from "../testbed/app_here.ts";
import { testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

Deno.test({
  name: "templates and things in the bin whose files are gone are marked in their lists",
  ignore,
  fn: async () => {
    await using pool = await testPool("gone");
    await using vm = await testMachine({ purpose: "gone", guest: false, disks: [{ pool }] });
    await using here = await appHere();
    const { api, app } = here, vmId = vm.uuid;
    await until("the VM is known", () => Promise.resolve(app.hosts.local.inventory.vm(vmId) !== undefined));
    await api.updateBinPolicy({ days: 7 });
    const { id: templateId } = await api.createTemplate({ vmId, name: vm.name });
    assert.equal((await api.getTemplate({ templateId })).missing, undefined);
    const files = app.templates.keptOf(app.hosts.local.id).map(({ path }) => path);
    await pool.createVolume("kept.qcow2", "8M");
    const { bin } = await api.deleteVolume({ pool: pool.name, volume: "kept.qcow2" });
    const entry = async () => (await api.listBin({})).find(({ id }) => id === bin!.entryId);
    assert.deepEqual((await entry())!.missing, []);
    for (const path of files) await Deno.remove(path);
    await Deno.remove(`${pool.path}/.kvm-manager-bin`, { recursive: true });
    const [listed] = (await api.listTemplates({})).filter(({ id }) => id === templateId);
    assert.deepEqual(listed!.missing, files);
    assert.deepEqual((await entry())!.missing, [`${pool.path}/kept.qcow2`]);
    await api.deleteBinEntry({ entryId: bin!.entryId });
    await api.deleteTemplate({ templateId, permanently: true });
  },
});
