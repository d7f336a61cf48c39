/** Checks that deleting a VM that is started meanwhile deletes nothing that it runs with. virsh starts it. */
import assert from "node:assert/strict";
import { setLogLevel } from "../../agent/log.ts";
import type { LibvirtHost } from "../../agent/hosts/libvirt_host.ts";
import { keepRunning } from "../../agent/vm/lifecycle/undefine.ts";
import type { CallName } from "../../ffi/calls/mod.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { appHere } from "../testbed/app_here.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { exists } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
setLogLevel("error");

/** Has the VM started with virsh right before the agent's next call of this name. */
function startsBefore({ link }: Pick<LibvirtHost, "link">, name: CallName, vm: TestMachine): () => boolean {
  const call = link.call.bind(link);
  let isStarted = false;
  link.call = async (asked, ...args) => {
    if (asked === name && !isStarted) {
      isStarted = true;
      await vm.start();
    }
    return await call(asked, ...args);
  };
  return () => isStarted;
}

const refused = (asked: Promise<unknown>, code: string, text: RegExp) =>
  assert.rejects(asked, (error) => {
    assert.ok(error instanceof ContractError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, text);
    return true;
  });

/** Its stored configuration in any order: libvirt orders controllers again when it defines them. */
const definitionOf = async (vm: TestMachine) =>
  (await vm.xml("--inactive", "--security-info")).split("\n").sort();

const persistent = async ({ name }: TestMachine) =>
  /^Persistent:\s+(\w+)/m.exec(await virsh("dominfo", name))?.[1];

for (
  const [when, before] of [
    ["while its disks are looked at", "domainXml"],
    ["between the last look and the undefine", "domainUndefine"],
  ] as const
) {
  Deno.test({
    name: `delete_vm() leaves a VM whole that virsh starts ${when}`,
    ignore,
    fn: async () => {
      await using vm = await testMachine({ purpose: "race", guest: false, disks: [{}] });
      await virsh("autostart", vm.name);
      const definition = await definitionOf(vm);
      await using here = await appHere();
      await until(
        "the VM is known",
        () => Promise.resolve(here.app.hosts.local.inventory.vm(vm.uuid)?.autostart === true),
      );
      const wasStarted = startsBefore(here.app.hosts.local, before, vm);
      await refused(
        here.api.deleteVm({ vmId: vm.uuid, deleteDisks: true }),
        "VmStillRunning",
        /^Cannot delete running VM\. Stop it first\.$/,
      );
      assert.ok(wasStarted());
      assert.equal(await vm.state(), "running");
      assert.ok(await exists(vm.disks[0]!), "its disk is there");
      assert.equal(await persistent(vm), "yes");
      assert.match(await virsh("dominfo", vm.name), /^Autostart:\s+enable/m);
      assert.deepEqual(await definitionOf(vm), definition);
      await virsh("destroy", vm.name);
      await until(
        "it is off",
        () => Promise.resolve(here.app.hosts.local.inventory.vm(vm.uuid)?.state === "stopped"),
      );
      assert.deepEqual(await here.api.deleteVm({ vmId: vm.uuid, deleteDisks: true }), {
        bin: null,
        deletedDisks: vm.disks,
      });
    },
  });
}

Deno.test({
  name:
    "delete_vm() leaves the NVRAM of a VM that virsh starts right before the undefine, and deletes it in the end",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "race-nvram", guest: false, machine: "q35" });
    const nvram = `/var/lib/libvirt/qemu/nvram/${vm.name}_VARS.fd`; // libvirt's own place
    const xml = (await vm.xml("--inactive")).replace("<os>", "<os firmware='efi'>");
    const file = await Deno.makeTempFile({ prefix: "kvmm-test-", suffix: ".xml" });
    await Deno.writeTextFile(file, xml);
    await virsh("define", file).finally(() => Deno.remove(file));
    await vm.start(); // it is made at the first start
    await virsh("destroy", vm.name);
    const before = await Deno.readFile(nvram);
    await using here = await appHere();
    await until(
      "the VM is known",
      () => Promise.resolve(here.app.hosts.local.inventory.vm(vm.uuid)?.state === "stopped"),
    );
    const wasStarted = startsBefore(here.app.hosts.local, "domainUndefine", vm);
    await refused(here.api.deleteVm({ vmId: vm.uuid }), "VmStillRunning", /^Cannot delete running VM/);
    assert.ok(wasStarted());
    assert.equal(await persistent(vm), "yes");
    assert.ok(await exists(nvram), "its NVRAM is there");
    assert.equal((await Deno.readFile(nvram)).length, before.length);
    await virsh("destroy", vm.name);
    await until(
      "it is off",
      () => Promise.resolve(here.app.hosts.local.inventory.vm(vm.uuid)?.state === "stopped"),
    );
    await here.api.deleteVm({ vmId: vm.uuid });
    assert.equal(await exists(nvram), false, "its NVRAM is gone with it");
    assert.deepEqual((await virsh("list", "--all", "--name")).match(/^nvram-.*/m), null);
  },
});

Deno.test({
  name: "detach_disk() with deleteVolume keeps the volume of a VM that virsh starts meanwhile",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "race", guest: false, disks: [{}, {}] });
    const [, second] = vm.disks;
    await using here = await appHere();
    await until(
      "the VM is known",
      () => Promise.resolve(here.app.hosts.local.inventory.vm(vm.uuid)?.disks.length === 2),
    );
    const { target } = here.app.hosts.local.inventory.vm(vm.uuid)!.disks.find(({ source }) =>
      source === second
    )!;
    const definition = await definitionOf(vm);
    const wasStarted = startsBefore(here.app.hosts.local, "domainDetachDevice", vm);
    await refused(
      here.api.detachDisk({ vmId: vm.uuid, target, deleteVolume: true }),
      "DiskDeleteFailed",
      /the running VM still has it$/,
    );
    assert.ok(wasStarted());
    assert.ok(await exists(second!), "its disk is there");
    assert.deepEqual(await definitionOf(vm), definition);
  },
});

Deno.test({
  name: "keepRunning() defines a VM again that runs undefined, and says of one that is gone that it is gone",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "race", guest: false, start: true, disks: [{}] });
    const definition = await definitionOf(vm);
    await using here = await appHere();
    await virsh("undefine", vm.name);
    assert.equal(await persistent(vm), "no");
    assert.equal(await keepRunning(here.app.hosts.local.link, vm.uuid), true);
    assert.equal(await persistent(vm), "yes");
    assert.deepEqual(await definitionOf(vm), definition);
    await virsh("destroy", vm.name);
    await virsh("undefine", vm.name);
    assert.equal(await keepRunning(here.app.hosts.local.link, vm.uuid), false);
  },
});
