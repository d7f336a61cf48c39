/** Two KVM Managers, and virsh, that change one VM in one moment: no edit is lost. */
import assert from "node:assert/strict";
import type { Api } from "../../lib/contract/api.ts";
import { localPrincipal } from "../../agent/testing.ts";
import { Application } from "../../agent/app.ts";
import { setLogLevel } from "../../agent/log.ts";
import { settingsHere } from "../testbed/app_here.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { requirement } from "../testbed/skip.ts";
import { testFolder } from "../testbed/folder.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
setLogLevel("error");

/** An agent of its own in this process, on the real libvirt, that knows a VM. */
async function agentFor(vmId: string): Promise<{ api: Api } & AsyncDisposable> {
  const folder = await testFolder();
  const app = new Application({ ...settingsHere(folder.path), uri: "qemu:///system", demo: true });
  app.start();
  await until("the VM is known", () => Promise.resolve(app.hosts.vm(vmId) !== undefined));
  return {
    api: app.apiFor(localPrincipal("page")) as Api,
    [Symbol.asyncDispose]: async () => {
      await app.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

Deno.test({
  name: "what two KVM Managers change of one VM in one moment is there afterwards, each time",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "at-once" });
    const vmId = vm.uuid;
    await using one = await agentFor(vmId);
    await using other = await agentFor(vmId);
    for (let round = 1; round <= 12; round++) {
      await Promise.all([
        one.api.updateVm({ vmId, description: `round ${round}` }),
        other.api.updateVm({ vmId, title: `title ${round}` }),
      ]);
      const xml = await virsh("dumpxml", "--inactive", vm.name);
      assert.match(xml, new RegExp(`<description>round ${round}</description>`));
      assert.match(xml, new RegExp(`<title>title ${round}</title>`));
      await Promise.all([
        one.api.setTags({ vmId, tags: [`t${round}`] }),
        (async () => {
          await other.api.updateVm({ vmId, title: `again ${round}` });
          await other.api.setGroup({ vmId, group: `g${round}` });
        })(),
      ]);
      const then = await virsh("dumpxml", "--inactive", vm.name);
      for (const each of [`>t${round}<`, `>g${round}<`, `<title>again ${round}<`]) {
        assert.ok(then.includes(each), `${each} of round ${round} is lost`);
      }
    }
  },
});
