/**
 * Projects on real libvirt: quotas wherever VMs are made or grow, also by two at once and across a kill; rights on a project;
 * what becomes of a VM's project when it is renamed, deleted, restored, undefined; end dates.
 */
import assert from "node:assert/strict";
import type { Input, Output } from "../../lib/contract/mod.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { asRoot, personWith } from "../testbed/people.ts";
import { type TestPool, testPool } from "../testbed/pool.ts";
import { call, EventLog, known, ownServer, refusal, refused, shows } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

/** A name for a VM that the product makes; the VM is removed in the end. */
async function vmName(): Promise<{ name: string } & AsyncDisposable> {
  const name = await testName("project");
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      await removeDomain(name);
      await releaseName(name);
    },
  };
}

const small = (name: string, pool: TestPool, project?: string): Input<"create_vm"> => ({
  name,
  memoryMb: 128,
  cpuCount: 1,
  virtType: "qemu",
  nics: [],
  disks: [{ sizeGb: 1, pool: pool.name }],
  ...(project !== undefined && { project }),
});

const usage = async (server: TestServer, name: string): Promise<Output<"list_projects">[number]> =>
  (await call(server, "list_projects")).find((project) => project.name === name)!;

const projectOf = async (server: TestServer, vmId: string) =>
  (await call(server, "get_vm", { vmId })).project?.name;

Deno.test({
  name: "A quota is kept wherever VMs are made or grow, and what virsh grows is told",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("quota");
    await using first = await vmName();
    await using second = await vmName();
    await using third = await vmName();
    await using server = await ownServer();
    const quota = { vms: 2, cpus: 4, memoryMb: 1024, diskGb: 4 };
    const { id: projectId } = await call(server, "create_project", { name: "web", quota });
    const over = (asked: Promise<unknown>, what: RegExp) => refused(asked, "QuotaExceeded", what);

    const { id: vmId } = await call(server, "create_vm", small(first.name, pool, "web"));

    await t.step("created, it counts and shows its project; names and ids stand for it", async () => {
      assert.equal(await projectOf(server, vmId), "web");
      assert.deepEqual((await usage(server, "web")).usage, {
        vms: 1,
        cpus: 1,
        memoryMb: 128,
        diskGb: 1,
        binDiskGb: 0,
      });
      for (const project of ["web", projectId]) {
        assert.deepEqual((await call(server, "get_vms", { project })).map(({ id }) => id), [vmId]);
      }
      await refused(call(server, "get_vms", { project: "none" }), "ProjectNotFound");
      await refused(call(server, "create_vm", small(second.name, pool, "none")), "ProjectNotFound");
    });

    await t.step("what is too large is told beforehand, and leaves nothing", async () => {
      const large = { ...small(second.name, pool, "web"), cpuCount: 4 };
      const { errors } = await call(server, "check_vm_config", large);
      assert.deepEqual(errors.map(({ field, code }) => [field, code]), [["project", "QuotaExceeded"]]);
      await over(call(server, "create_vm", large), /may have 4 CPUs in all, and 4 CPUs more do not fit/);
      assert.equal((await usage(server, "web")).usage.vms, 1);
      const { name: poolName } = pool;
      const volumes = await call(server, "get_volumes", { pool: poolName });
      assert.equal(volumes.length, 1);
    });

    await t.step("set_memory, CPUs, disks and XML: what fits is done, what does not is refused", async () => {
      await call(server, "update_vm", { vmId, cpu: { max: 4, count: 3 } });
      await over(
        call(server, "update_vm", { vmId, cpu: { max: 8, count: 5 } }),
        /4 CPUs in all, and 2 CPUs more/,
      );
      await over(call(server, "update_vm", { vmId, memory: { maxMb: 2048 } }), /1024 MiB of memory/);
      await over(call(server, "resize_disk", { vmId, target: "vda", sizeGb: 5 }), /4 GiB of disks/);
      await call(server, "resize_disk", { vmId, target: "vda", sizeGb: 2 });
      assert.equal((await usage(server, "web")).usage.diskGb, 2);
      const create = { sizeGb: 3, pool: pool.name };
      await over(call(server, "attach_disk", { vmId, create }), /3 GiB of disks more/);
      await call(server, "attach_disk", { vmId, create: { ...create, sizeGb: 1 } });
      assert.equal((await usage(server, "web")).usage.diskGb, 3);
      const { xml } = await call(server, "get_vm_xml", { vmId });
      const more = xml.replace(/<vcpu([^>]*)>\d+<\/vcpu>/, "<vcpu placement='static'>9</vcpu>");
      assert.notEqual(more, xml);
      await over(call(server, "set_vm_xml", { vmId, xml: more }), /4 CPUs/);
      assert.equal((await usage(server, "web")).usage.cpus, 3);
    });

    await t.step("a clone is in the project of its original, where that has room", async () => {
      await over(call(server, "clone_vm", { vmId, name: third.name }), /CPUs|GiB of disks/);
      await call(server, "update_vm", { vmId, cpu: { count: 1 } });
      await call(server, "set_quota", { projectId, ...quota, diskGb: 6 });
      const clone = await call(server, "clone_vm", { vmId, name: third.name, pool: pool.name });
      assert.equal(await projectOf(server, clone.vmId), "web");
      assert.equal((await usage(server, "web")).usage.vms, 2);
      await over(call(server, "create_vm", small(second.name, pool, "web")), /2 VMs in all, and 1 VM more/);
    });

    await t.step("past us: it is told as over its quota, and what does not grow goes on", async () => {
      await virsh("setvcpus", first.name, "4", "--config");
      await shows(server, vmId, ({ cpuCount }) => cpuCount === 4);
      assert.deepEqual((await usage(server, "web")).over, ["cpus"]);
      await over(call(server, "update_vm", { vmId, cpu: { max: 8, count: 5 } }), /1 CPU more/);
      await call(server, "update_vm", { vmId, title: "goes on" });
      await call(server, "update_vm", { vmId, cpu: { count: 2 } });
      assert.deepEqual((await usage(server, "web")).over, []);
    });

    await t.step("of two at once one is made", async () => {
      await call(server, "delete_vm", {
        vmId: (await call(server, "get_vms", { project: "web" })).find(({ name }) => name === third.name)!.id,
        deleteDisks: true,
        permanently: true,
      });
      const made = await Promise.allSettled(
        [second.name, third.name].map((name) => server.call("create_vm", small(name, pool, "web"))),
      );
      assert.deepEqual(made.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
      assert.equal((await usage(server, "web")).usage.vms, 2);
    });
  },
});

Deno.test({
  name: "renamed, in the bin and back, undefined and defined by virsh, it stays in its project",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("stays");
    await using name = await vmName();
    await using other = await vmName();
    const dataDir = await Deno.makeTempDir({ prefix: "kvmm-projects-" });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => Deno.remove(dataDir, { recursive: true }));
    let vmId = "";
    {
      await using server = await ownServer({ dataDir, env: { KVMM_BIN_DAYS: "7" } });
      await call(server, "create_project", {
        name: "lab",
        quota: { vms: 1, diskGb: 1 },
        defaults: { days: 3 },
      });
      vmId = (await call(server, "create_vm", small(name.name, pool, "lab"))).id;

      await t.step("its end date is that of the project's default", async () => {
        const { endsAt = 0 } = await call(server, "get_vm", { vmId });
        assert.ok(Math.abs(endsAt - Date.now() - 3 * 86_400_000) < 60_000, String(endsAt));
      });

      await t.step("renamed", async () => {
        await call(server, "rename_vm", { vmId, name: other.name });
        assert.equal(await projectOf(server, vmId), "lab");
      });

      await t.step(
        "in the bin its disks count and it does not; it comes back where there is room",
        async () => {
          const { bin } = await call(server, "delete_vm", { vmId, deleteDisks: true });
          assert.ok(bin !== null);
          await until("it to be in the bin", async () => (await usage(server, "lab")).usage.vms === 0);
          const { usage: used } = await usage(server, "lab");
          assert.deepEqual([used.vms, used.cpus, used.diskGb, used.binDiskGb], [0, 0, 1, 1]);
          // What is in the bin still takes its share of the disks
          await refused(call(server, "create_vm", small(name.name, pool, "lab")), "QuotaExceeded", /GiB/);
          const entry = (await call(server, "list_bin")).find((each) => each.name === other.name);
          const { id: projectId } = await usage(server, "lab");
          await call(server, "set_quota", { projectId, vms: 0 });
          await refused(call(server, "restore_bin_entry", { entryId: entry!.id }), "QuotaExceeded", /0 VMs/);
          await call(server, "set_quota", { projectId, vms: 1 });
          await call(server, "restore_bin_entry", { entryId: entry!.id });
          assert.equal(await projectOf(server, vmId), "lab");
          assert.equal((await usage(server, "lab")).usage.vms, 1);
        },
      );

      await t.step("undefined by virsh it counts nothing, defined again it is in its project", async () => {
        const xml = await virsh("dumpxml", "--inactive", other.name);
        await virsh("undefine", other.name);
        await until("it to be gone", async () => (await usage(server, "lab")).usage.vms === 0);
        const file = `${dataDir}/vm.xml`;
        await Deno.writeTextFile(file, xml);
        await virsh("define", file);
        await known(server, vmId);
        assert.equal(await projectOf(server, vmId), "lab");
      });
    }

    await t.step("restarted, and killed while one is made: what is there is in its project", async () => {
      let half = "";
      {
        await using server = await ownServer({ dataDir, env: { KVMM_BIN_DAYS: "7" } });
        await known(server, vmId);
        assert.equal(await projectOf(server, vmId), "lab");
        const { id: projectId } = await usage(server, "lab");
        await call(server, "set_quota", { projectId, vms: 2 });
        const making = server.call("create_vm", small(name.name, pool, "lab")).catch(() => {});
        await until("it to count", async () => (await usage(server, "lab")).usage.vms === 2, { every: 1 });
        half = name.name;
        await server.kill();
        await making;
      }
      await using server = await ownServer({ dataDir, env: { KVMM_BIN_DAYS: "7" } });
      await known(server, vmId);
      await until("what was cut short to be settled", async () => {
        const there = (await call(server, "get_vms")).filter((vm) => vm.name === half);
        const inIt = await call(server, "get_vms", { project: "lab" });
        const { usage: used } = await usage(server, "lab");
        return used.vms === 1 + there.length && inIt.length === used.vms;
      }, { seconds: 30 });
    });
  },
});

Deno.test({
  name: "Rights on a project are rights to its VMs, and to nothing else",
  ignore,
  fn: async (t) => {
    await using own = await testMachine({ purpose: "project-own", guest: false });
    await using other = await testMachine({ purpose: "project-other", guest: false });
    await using server = await ownServer();
    for (const { uuid } of [own, other]) await known(server, uuid);
    const { id: projectId } = await call(server, "create_project", { name: "shop", quota: { vms: 1 } });
    await call(server, "create_project", { name: "secret" });
    await call(server, "set_vm_project", { vmId: own.uuid, project: "shop" });
    await call(server, "set_vm_project", { vmId: other.uuid, project: "secret" });
    const ann = await personWith(server, "ann", []);
    const bob = await personWith(server, "bob", [{
      role: "administrator",
      on: { kind: "project", project: "shop" },
    }]);
    const token = await personWith(
      server,
      "carl",
      [{ role: "operator", on: { kind: "everything" } }],
      [{ role: "viewer", on: { kind: "project", project: projectId } }],
    );

    await t.step(
      "a member sees the VMs of the project alone, no other project, number or member",
      async () => {
        await refused(ann.call("get_vm", { vmId: own.uuid }), "Forbidden");
        await asRoot(server, "add_project_member", { projectId, userId: ann.userId, role: "viewer" });
        for (const person of [await again(ann), token]) {
          assert.deepEqual((await person.call("get_vms", {})).map(({ id }) => id), [own.uuid]);
          assert.deepEqual((await person.call("list_projects", {})).map(({ name }) => name), ["shop"]);
          const shown = await person.call("get_project", { projectId });
          assert.deepEqual([shown.usage.vms, shown.members], [1, []]);
          const text = JSON.stringify(
            await Promise.all([
              person.call("get_vms", {}),
              person.call("list_projects", {}),
              person.call("get_project", { projectId }),
              person.call("get_activity", {}),
            ]),
          );
          for (const hidden of [other.name, other.uuid, "secret"]) assert.ok(!text.includes(hidden), hidden);
          const { id: secret } = await usage(server, "secret");
          await refused(person.call("get_project", { projectId: secret }), "ProjectNotFound");
          await refused(person.call("get_vms", { project: "secret" }), "ProjectNotFound");
          await refused(person.call("get_vm", { vmId: other.uuid }), "VmNotFound");
          await refused(person.call("start_vm", { vmId: own.uuid }), "Forbidden");
          await refused(person.call("set_vm_project", { vmId: own.uuid }), "Forbidden");
        }
      },
    );

    await t.step(
      "an administrator of a project counts as operator there, and changes no project",
      async () => {
        await bob.call("start_vm", { vmId: own.uuid });
        await refused(bob.call("start_vm", { vmId: other.uuid }), "VmNotFound");
        await refused(bob.call("set_quota", { projectId }), "Forbidden");
        await refused(bob.call("set_vm_project", { vmId: other.uuid, project: "shop" }), "Forbidden");
        await refused(bob.call("create_vm", { name: "mine", project: "shop" }), "Forbidden");
        const { message } = await refusal(
          call(server, "set_vm_project", { vmId: other.uuid, project: "shop" }),
        );
        assert.match(message, /1 VM in all, and 1 VM more/);
      },
    );

    await t.step("events: a VM that leaves the project is gone for its members", async () => {
      const log = await EventLog.open(server);
      await using _log = log;
      await call(server, "set_vm_project", { vmId: own.uuid });
      await log.waitFor("vm-updated", ({ vm }) => vm.id === own.uuid && vm.project === undefined);
      await log.waitFor("projects-changed");
      await refused(bob.call("get_vm", { vmId: own.uuid }), "VmNotFound");
      await call(server, "set_vm_project", { vmId: own.uuid, project: "shop" });
      assert.equal((await bob.call("get_vm", { vmId: own.uuid })).project?.name, "shop");
    });

    await t.step("a user who is deleted is no member any more", async () => {
      assert.deepEqual(
        (await call(server, "get_project", { projectId })).members.map(({ name, roles }) => [name, roles]),
        [["ann", ["viewer"]], ["bob", ["administrator"]]],
      );
      await asRoot(server, "delete_user", { userId: bob.userId });
      await asRoot(server, "remove_project_member", { projectId, userId: ann.userId });
      await refused(
        asRootRefusable(server, { projectId, userId: ann.userId }),
        "NotProjectMember",
      );
      assert.deepEqual((await call(server, "get_project", { projectId })).members, []);
    });

    await t.step("deleted, its VMs stay and rights on it end", async () => {
      await asRoot(server, "add_project_member", { projectId, userId: ann.userId, role: "operator" });
      await call(server, "delete_project", { projectId });
      assert.equal(await projectOf(server, own.uuid), undefined);
      const users = await asRoot(server, "list_users", {});
      assert.deepEqual(users.find(({ name }) => name === "ann")!.grants, []);
      await refused(call(server, "get_project", { projectId }), "ProjectNotFound");
      await call(server, "create_project", { name: "shop" });
      await call(server, "set_vm_project", { vmId: own.uuid, project: "shop" });
      await refused(token.call("get_vm", { vmId: own.uuid }), "Forbidden");
    });
  },
});

/** The same person by a token that has all of their rights as they are now. */
async function again(person: Awaited<ReturnType<typeof personWith>>) {
  const user = (await asRoot(person.server, "list_users", {})).find(({ id }) => id === person.userId)!;
  const { token } = await asRoot(person.server, "create_token", {
    name: "again",
    userId: user.id,
    grants: user.grants,
  });
  return new (person.constructor as new (...args: unknown[]) => typeof person)(
    person.server,
    { authorization: `Bearer ${token}` },
    user.id,
  );
}

const asRootRefusable = (server: TestServer, input: Input<"remove_project_member">) =>
  server.call("remove_project_member", input);

Deno.test({
  name: "an end date is told, and then the guest is asked once to shut down",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "ends" });
    await vm.start();
    await using server = await ownServer();
    await shows(server, vm.uuid, ({ state }) => state === "running");
    const vmId = vm.uuid;
    await refused(
      call(server, "set_vm_end", { vmId, endsAt: Date.now() - 1 }),
      "InvalidInput",
      /later than now/,
    );
    await call(server, "set_vm_end", { vmId, endsAt: Date.now() + 2 * 86_400_000 });
    await until("it to be told", async () => {
      const { attention, state } = await call(server, "get_vm", { vmId });
      return state === "running" &&
        attention.some((text) => /^Its end date is .*it is shut down then/.test(text));
    }, { seconds: 30 });
    const actions = async () =>
      (await call(server, "get_activity", { limit: 100 })).filter((entry) => entry.vmId === vmId).map((
        { action },
      ) => action);
    assert.ok((await actions()).includes("vm-ends-soon"));
    await call(server, "set_vm_end", { vmId, endsAt: Date.now() + 1500 });
    await shows(server, vmId, ({ state }) => state === "stopped", { seconds: 90 });
    await shows(server, vmId, ({ attention }) => attention.some((text) => /has passed/.test(text)));
    assert.ok((await actions()).includes("vm-ended"));
    // Who starts it afterwards keeps it
    await call(server, "start_vm", { vmId });
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    assert.equal((await call(server, "get_vm", { vmId })).state, "running");
    await call(server, "set_vm_end", { vmId });
    const shown = await call(server, "get_vm", { vmId });
    assert.deepEqual([shown.endsAt, shown.attention.filter((text) => /end date/.test(text))], [
      undefined,
      [],
    ]);
  },
});
