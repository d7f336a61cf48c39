/** VMs that members of a project create in it on real libvirt: of what it names alone, within its quota. */
import assert from "node:assert/strict";
import type { Input } from "../../lib/contract/mod.ts";
import { virsh } from "../testbed/libvirt.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { testNetwork } from "../testbed/network.ts";
import { asRoot, personWith } from "../testbed/people.ts";
import { testPool } from "../testbed/pool.ts";
import { call, ownServer, refused } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null;

Deno.test({
  name: "An operator of a project creates VMs in it: from its pools, networks and images, within its quota",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("member");
    await using foreign = await testPool("foreign");
    await using network = await testNetwork();
    await using names = new AsyncDisposableStack();
    const vmName = async () => {
      const name = await testName("member");
      names.defer(async () => {
        await removeDomain(name);
        await releaseName(name);
      });
      return name;
    };
    await pool.createVolume("base.qcow2", "64M");
    await pool.createVolume("setup.iso", "1M", "raw");
    await foreign.createVolume("secret.qcow2", "64M");
    // As a VM of the project that has that pool would call its disk
    await foreign.createVolume("gone.qcow2", "64M");
    await using server = await ownServer({ env: { KVMM_VIRT_TYPE: "qemu" } });
    const { id: projectId } = await call(server, "create_project", {
      name: "shop",
      quota: { vms: 2, diskGb: 6 },
      defaults: { cpuCount: 1, memoryMb: 128, diskSizeGb: 1, tags: ["shop"], days: 30 },
    });
    await call(server, "create_project", { name: "other", pools: [foreign.name] });
    const onShop = { kind: "project", project: projectId } as const;
    const ann = await personWith(server, "ann", [{ role: "operator", on: onShop }]);
    const bob = await personWith(server, "bob", [{ role: "viewer", on: onShop }]);
    const eve = await personWith(server, "eve", [{ role: "operator", on: { kind: "group", group: "shop" } }]);
    const first = await vmName(), second = await vmName(), third = await vmName();
    const make = (person: typeof ann, more: Partial<Input<"create_project_vm">> = {}) =>
      person.call("create_project_vm", { projectId, name: first, ...more });

    await t.step(
      "a project that names no pool takes none; who is no operator of it creates none",
      async () => {
        await refused(make(ann), "ProjectTakesNoVms", /names no storage pool/);
        await call(server, "update_project", {
          projectId,
          pools: [pool.name],
          networks: [network.name],
          images: ["base.qcow2", "setup.iso", "gone", "gone.qcow2"],
        });
        await refused(make(bob), "Forbidden");
        await refused(make(eve), "ProjectNotFound");
        const { id: otherId } = (await call(server, "list_projects")).find(({ name }) => name === "other")!;
        await refused(ann.call("create_project_vm", { projectId: otherId, name: first }), "ProjectNotFound");
      },
    );

    await t.step("what the project does not name is refused, however it is written", async () => {
      const notNamed = (more: Partial<Input<"create_project_vm">>, choices: RegExp) =>
        refused(make(ann, more), "NotNamedByProject", choices);
      await notNamed({ pool: foreign.name }, new RegExp(pool.name));
      await notNamed({ network: "default" }, new RegExp(network.name));
      for (
        const image of [
          "secret.qcow2",
          `${foreign.name}/secret.qcow2`,
          `${foreign.path}/secret.qcow2`,
          `../${foreign.name}/secret.qcow2`,
          "gone",
          "gone.qcow2",
        ]
      ) await notNamed({ image }, /base\.qcow2, setup\.iso/);
      for (
        const field of [
          "disks",
          "isoPath",
          "nics",
          "kernel",
          "project",
          "group",
          "allowOvercommit",
          "virtType",
        ]
      ) {
        await refused(
          ann.raw("create_project_vm", { projectId, name: first, [field]: field === "disks" ? [] : "x" }),
          "InvalidInput",
          new RegExp(field),
        );
      }
      await refused(make(ann, { sshKeys: ["ssh-ed25519 AAAA"] }), "InvalidInput", /user/);
      assert.deepEqual((await ann.call("get_vms", {})).map(({ name }) => name), []);
      assert.equal((await call(server, "get_volumes", { pool: pool.name })).length, 2);
    });

    await t.step(
      "from an image: a copy in the project's pool, on its network, with its defaults",
      async () => {
        const { id } = await make(ann, { image: "base.qcow2", user: "ann", userPassword: "Tr0ub4dor&3" });
        const vm = await ann.call("get_vm", { vmId: id });
        assert.deepEqual(
          [vm.name, vm.project?.name, vm.cpuCount, vm.memoryMb, vm.diskSizeGb, vm.tags],
          [first, "shop", 1, 128, 1, ["shop"]],
        );
        assert.ok(vm.endsAt !== undefined);
        const xml = await virsh("dumpxml", first);
        assert.match(xml, new RegExp(`network='${network.name}'`));
        assert.match(xml, new RegExp(`${pool.path}/${first}\\.qcow2`));
        assert.doesNotMatch(xml, /backingStore type=|base\.qcow2/);
        // The first start sets the user up
        assert.match(xml, /-seed\.iso|cidata/);
        await ann.call("start_vm", { vmId: id });
        await ann.call("force_stop_vm", { vmId: id });
      },
    );

    await t.step("with an ISO in its drive, by a bot's token of the member", async () => {
      const bot = await personWith(
        server,
        "bot",
        [{ role: "operator", on: { kind: "everything" } }],
        [{ role: "operator", on: onShop }],
      );
      await refused(
        make(bot, { name: second, image: "setup.iso", diskSizeGb: 6 }),
        "QuotaExceeded",
        /GiB of disks/,
      );
      await make(bot, { name: second, image: "setup.iso", diskSizeGb: 2 });
      const xml = await virsh("dumpxml", second);
      assert.match(xml, /device='cdrom'[\s\S]*setup\.iso/);
      await refused(make(ann, { name: third }), "QuotaExceeded", /2 VMs in all/);
      const { usage } = await ann.call("get_project", { projectId });
      assert.deepEqual([usage.vms, usage.diskGb], [2, 3]);
    });

    await t.step(
      "taken out of the project, a member creates no more; nor while the host is in maintenance",
      async () => {
        await call(server, "set_quota", { projectId });
        await call(server, "start_maintenance", { drain: false });
        await refused(make(ann, { name: third }), "HostInMaintenance");
        await call(server, "end_maintenance", {});
        await asRoot(server, "remove_project_member", { projectId, userId: ann.userId });
        await refused(make(ann, { name: third }), "Forbidden");
      },
    );
  },
});
