/** A host is added by its libvirt, managed as well as the local one, kept over a restart and removed, at every door. */
import assert from "node:assert/strict";
import { testFolder } from "../testbed/folder.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { call, refused } from "../testbed/product.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

Deno.test({
  name: "add_host() and remove_host(): its VMs come and go with it",
  ignore,
  fn: async (t) => {
    await using first = await privateLibvirt("add-a");
    await using second = await privateLibvirt("add-b");
    await using folder = await testFolder();
    const vm = await second.machine({ start: true });
    const options = { uri: first.uri, dataDir: `${folder.path}/data` };
    const server = await startServer(options);
    const here = { server };
    await using _ = { [Symbol.asyncDispose]: () => here.server[Symbol.asyncDispose]() };
    const names = async () =>
      (await call(here.server, "get_vms")).map(({ name, host }) => `${name} on ${host}`);
    const add = (name: string, uri: string) => call(here.server, "add_host", { name, uri });

    await t.step(
      "what is no connection, or taken, is refused with the reason, and nothing is kept",
      async () => {
        await refused(add("evil", "qemu+ssh://h/system?command=/tmp/x"), "HostUriRefused", /and not command/);
        await refused(add("local", second.uri), "HostExists");
        await refused(add("twice", first.uri), "HostExists");
        await refused(add("Not A Name", second.uri), "InvalidInput");
        await refused(call(here.server, "remove_host", { hostId: "local" }), "HostStays");
        await refused(call(here.server, "remove_host", { hostId: "nowhere" }), "HostNotFound");
        assert.deepEqual((await call(here.server, "list_hosts")).map(({ id }) => id), ["local"]);
      },
    );
    await t.step("its VMs are listed and act there", async () => {
      const added = await add("kvm2", second.uri);
      assert.equal(added.status, "connected");
      assert.equal(added.uri, second.uri);
      await until("its VM is listed", async () => (await names()).includes(`${vm.name} on kvm2`));
      await call(here.server, "pause_vm", { vmId: vm.uuid });
      assert.equal(await second.virsh("domstate", vm.name), "paused");
      await call(here.server, "resume_vm", { vmId: vm.uuid });
    });
    await t.step("the pages lead to it, and a form adds one without script", async () => {
      const page = async (path: string) => await (await fetch(here.server.url + path)).text();
      assert.match(await page("/settings/hosts"), /href="\/hosts\/kvm2\/"/);
      assert.match(await page("/"), /id="host-menu"/);
      assert.match(await page("/hosts/kvm2/vms"), new RegExp(vm.name));
    });
    await t.step("a host that does not answer says so, and disturbs nothing", async () => {
      const gone = await add("gone", "qemu+unix:///system?socket=/nowhere/libvirt-sock");
      assert.notEqual(gone.status, "connected");
      await until("why", async () => {
        const found = (await call(here.server, "list_hosts")).find(({ id }) => id === "gone");
        return found?.error !== null;
      });
      assert.ok((await names()).includes(`${vm.name} on kvm2`));
      await call(here.server, "remove_host", { hostId: "gone" });
    });
    await t.step("the same libvirt by another address is refused, and nothing is kept", async () => {
      const link = `${folder.path}/other-socket`;
      await Deno.symlink(new URL(second.uri).searchParams.get("socket")!, link);
      const uri = `qemu+unix:///system?socket=${link}`;
      await refused(add("kvm2-again", uri), "HostExists", /kvm2/);
      await refused(call(here.server, "update_host", { hostId: "kvm2", uri: first.uri }), "HostExists");
      assert.deepEqual((await call(here.server, "list_hosts")).map(({ id }) => id), ["local", "kvm2"]);
      assert.equal((await second.virsh("secret-list")).includes("compared"), false, "the mark is gone");
      const moved = await call(here.server, "update_host", { hostId: "kvm2", label: "Attic", uri });
      assert.deepEqual([moved.label, moved.uri, moved.status], ["Attic", uri, "connected"]);
      await until("its VM is listed", async () => (await names()).includes(`${vm.name} on kvm2`));
      await call(here.server, "update_host", { hostId: "kvm2", uri: second.uri });
    });
    await t.step(
      "one that turns out to be the same once it answers is not served, and can be removed",
      async () => {
        const link = `${folder.path}/later-socket`;
        await add("later", `qemu+unix:///system?socket=${link}`);
        await Deno.symlink(new URL(second.uri).searchParams.get("socket")!, link);
        await until("why", async () => {
          const found = (await call(here.server, "list_hosts")).find(({ id }) => id === "later");
          return /leads to the libvirt of Attic/.test(found?.error ?? "");
        });
        await call(here.server, "remove_host", { hostId: "later" });
        assert.ok((await names()).includes(`${vm.name} on kvm2`));
      },
    );
    await t.step(
      "of two that connect at the same time one is served, and VMs of a disabled host stay its own",
      async () => {
        await call(here.server, "enable_host", { hostId: "kvm2", enabled: false });
        for (const name of ["one", "two"]) {
          await add(name, `qemu+unix:///system?socket=${folder.path}/${name}`);
        }
        for (const name of ["one", "two"]) {
          await Deno.symlink(new URL(second.uri).searchParams.get("socket")!, `${folder.path}/${name}`);
        }
        const states = async () =>
          (await call(here.server, "list_hosts")).filter(({ id }) => id === "one" || id === "two")
            .map(({ status, error }) =>
              status === "connected" || /leads to the libvirt of/.test(error ?? "") && "same"
            );
        await until("one of them", async () => {
          const all = await states();
          return all.includes(true) && all.includes("same");
        });
        assert.deepEqual(await names(), []);
        for (const hostId of ["one", "two"]) await call(here.server, "remove_host", { hostId });
        await call(here.server, "enable_host", { hostId: "kvm2", enabled: true });
        await until("its VM is listed", async () => (await names()).includes(`${vm.name} on kvm2`));
      },
    );
    await t.step("a connection is tried without keeping anything", async () => {
      const tried = await call(here.server, "test_host", { uri: second.uri });
      assert.match(tried.version, /^\d+\.\d+\.\d+$/);
      const nowhere = "qemu+unix:///system?socket=/nowhere/libvirt-sock";
      await refused(call(here.server, "test_host", { uri: nowhere }), "HostUnreachable");
    });
    await t.step("disabled, it is listed and not connected to", async () => {
      const off = await call(here.server, "enable_host", { hostId: "kvm2", enabled: false });
      assert.equal(off.status, "disabled");
      assert.deepEqual(await names(), []);
      await refused(call(here.server, "get_vm", { vmId: vm.uuid }), "VmNotFound");
      const on = await call(here.server, "enable_host", { hostId: "kvm2", enabled: true });
      assert.equal(on.status, "connected");
      await until("its VM is listed", async () => (await names()).includes(`${vm.name} on kvm2`));
    });
    await t.step("it is kept over a restart", async () => {
      await here.server[Symbol.asyncDispose]();
      here.server = await startServer(options);
      await until("its VM is listed", async () => (await names()).includes(`${vm.name} on kvm2`));
    });
    await t.step("it is removed; its VM runs on, and is there once it is added again", async () => {
      await second.virsh("pool-define-as", "gold", "dir", "--target", "/var/lib/libvirt/images/gold");
      await second.virsh("pool-build", "gold");
      await second.virsh("pool-start", "gold");
      const template = { name: "gold", diskSizeGb: 1, pool: "gold", host: "kvm2" };
      await until(
        "the pool",
        () => call(here.server, "create_template", template).then(() => true, () => false),
      );
      const other = `qemu+unix:///system?socket=${folder.path}/other-socket`;
      const move = { hostId: "kvm2", uri: other };
      await refused(call(here.server, "update_host", move), "HostMoveKeeps", /gold/);
      await call(here.server, "update_host", { ...move, force: true });
      assert.equal((await call(here.server, "list_templates", { host: "kvm2" })).length, 1);
      await call(here.server, "update_host", { hostId: "kvm2", uri: second.uri, force: true });
      await refused(call(here.server, "remove_host", { hostId: "kvm2" }), "HostKeeps", /gold/);
      await call(here.server, "remove_host", { hostId: "kvm2", force: true });
      assert.match(await second.virsh("vol-list", "gold"), /gold/, "its files stay");
      assert.deepEqual(await names(), []);
      await refused(call(here.server, "get_vm", { vmId: vm.uuid }), "VmNotFound");
      assert.equal(await second.virsh("domstate", vm.name), "running");
      await add("kvm2", second.uri);
      await until("its VM is listed", async () => (await names()).includes(`${vm.name} on kvm2`));
      assert.deepEqual(await call(here.server, "list_templates", { host: "kvm2" }), []);
    });
  },
});
