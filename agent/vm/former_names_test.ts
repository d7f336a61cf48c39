import assert from "node:assert/strict";
import { libvirtTest, SHARED, testMachine, until } from "../../ffi/testing.ts";
import type { Api } from "../../lib/contract/api.ts";
import { settingsHere } from "../../tests/testbed/app_here.ts";
import { Application } from "../app.ts";
import { setLogLevel } from "../log.ts";
import { Store } from "../store/store.ts";
import { localPrincipal, TestClock } from "../testing.ts";
import { FORMER_NAME_MIGRATIONS, FormerNames } from "./former_names.ts";

setLogLevel("error");

Deno.test("FormerNames are there after a restart, the newest last, each once", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const clock = new TestClock();
    const start = () => {
      const store = new Store(folder, undefined, [{ name: "vms", migrations: FORMER_NAME_MIGRATIONS }]);
      store.open();
      return { store, names: new FormerNames(store, clock) };
    };
    const { store, names } = start();
    for (const [id, name] of [["1", "web"], ["2", "web"], ["1", "mail"], ["1", "web"]] as const) {
      await clock.advance(1000);
      names.add(id, name);
    }
    const expected = [{ id: "2", name: "web" }, { id: "1", name: "mail" }, { id: "1", name: "web" }];
    assert.deepEqual([...names.all()], expected);
    store.close();
    const again = start();
    assert.deepEqual([...again.names.all()], expected);
    again.store.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

libvirtTest("the name of a VM that is renamed, and of one that is deleted, is a former one", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const app = new Application({ ...settingsHere(folder), uri: SHARED, demo: true });
  try {
    app.start();
    const { link, inventory } = app.hosts.local;
    await until("the host is read", () => inventory.filled);
    const api = app.apiFor(localPrincipal("page")) as Api;
    const vmId = crypto.randomUUID(), name = `kvmm-test-${vmId.slice(0, 8)}`;
    await link.call("domainDefine", { xml: testMachine(name, vmId) });
    await until("the VM is known", () => inventory.vm(vmId) !== undefined);
    const former = () => [...app.formerNames.all()].filter(({ id }) => id === vmId).map((each) => each.name);
    await api.deleteVm({ vmId, permanently: true });
    await until("the name of the deleted one", () => former().includes(name));
    assert.deepEqual(former(), [name]);
  } finally {
    await app.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
