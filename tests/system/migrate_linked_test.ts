/** migrate_vm() asked of a KVM Manager that neither has the VM nor gets it: the VM's own host moves it, within the rights of both sides. */
import assert from "node:assert/strict";
import type { Grant } from "../../lib/contract/mod.ts";
import { link, MigrationHost, migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { call, refused } from "../testbed/product.ts";
import { atSocket } from "../testbed/sign_in.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

Deno.test({
  name: "a VM of a linked host moves to a third one, by its own host's link there",
  ignore,
  fn: async (t) => {
    await using undo = new AsyncDisposableStack();
    const { from, to: third } = undo.use(await migrationHosts());
    // Where it is asked: it is linked to both, and calls them by other names than they call each other
    const here = await MigrationHost.start("asks", undo);
    await link(here, from, "b");
    await link(here, third, "c");
    const path = await randomImage(from, "disk.qcow2", 8);
    const { name, uuid: vmId } = await from.libvirt.machine({
      start: true,
      disks: [{ path, format: "qcow2", bus: "virtio" }],
    });
    const listed = (host: string) =>
      until(
        `it to be listed as one of ${host}`,
        async () => (await call(here.server, "get_vms")).some((vm) => vm.id === vmId && vm.host === host),
      );
    await listed("b");
    const places = async () => {
      const all = await Promise.all([here, from, third].map((host) => host.vms()));
      return ["here", "b", "c"].filter((_, index) => all[index]!.includes(name));
    };

    /** Calls as a user with these grants. @returns the code of the refusal, or `ok` */
    const as = async (grants: Grant[], command: "migrate_vm" | "get_migration_plan", toHost: string) => {
      const user = `u${crypto.randomUUID().slice(0, 8)}`;
      const { id: userId } = await call(here.server, "create_user", { name: user, grants });
      const wanted = { userId, name: user, grants };
      const { token } = await atSocket(here.server.socket, "create_token", wanted) as { token: string };
      const answer = await fetch(`${here.server.url}/api/v1/commands/${command}`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ vmId, toHost }),
      });
      const body = await answer.json();
      return answer.ok ? "ok" : body.code as string;
    };
    const admin = (host: string): Grant => ({ role: "administrator", on: { kind: "host", host } });

    await t.step(
      "who may not bring VMs to the other host is refused, whatever they may on its own",
      async () => {
        for (const command of ["get_migration_plan", "migrate_vm"] as const) {
          assert.equal(await as([admin("b")], command, "c"), "Forbidden");
          assert.equal(await as([admin("b")], command, "local"), "Forbidden");
          assert.equal(
            await as([admin("b"), { role: "operator", on: { kind: "host", host: "c" } }], command, "c"),
            "Forbidden",
          );
          // An operator of the VM's host, and a viewer of that VM alone
          assert.equal(
            await as([{ role: "operator", on: { kind: "host", host: "b" } }, admin("c")], command, "c"),
            "Forbidden",
          );
          assert.equal(await as([{ role: "viewer", on: { kind: "vm", vmId } }], command, "c"), "Forbidden");
          // Who does not see the VM does not learn that it is there
          assert.equal(await as([admin("c")], command, "c"), "VmNotFound");
        }
        assert.deepEqual(await places(), ["b"]);
      },
    );

    await t.step("who is administrator of both moves it, and each side's audit log names them", async () => {
      assert.equal(await as([admin("b"), admin("c")], "get_migration_plan", "c"), "ok");
      assert.equal(await as([admin("b"), admin("c")], "migrate_vm", "c"), "ok");
      assert.deepEqual(await places(), ["c"]);
      await listed("c");
      for (const { server } of [from, third]) {
        const [entry] = await call(server, "get_audit_log", { action: "migrate_vm", limit: 1 });
        assert.match(JSON.stringify(entry), /"u[0-9a-f]{8}@/);
      }
    });

    await t.step("to the host that is asked", async () => {
      await link(third, here, "asks");
      const moved = await call(here.server, "migrate_vm", { vmId, toHost: "local" });
      assert.equal(moved.toHost, "local");
      assert.deepEqual(await places(), ["here"]);
      await call(here.server, "migrate_vm", { vmId, toHost: "b" });
      assert.deepEqual(await places(), ["b"]);
      await listed("b");
    });

    await t.step("by a link that may less on the VM's host, it is refused there", async () => {
      await call(here.server, "remove_host", { hostId: "b" });
      await link(here, from, "weak", "operator");
      await listed("weak");
      await refused(call(here.server, "migrate_vm", { vmId, toHost: "c" }), "Forbidden");
      await call(here.server, "remove_host", { hostId: "weak" });
      await link(here, from, "b");
      await listed("b");
    });

    await t.step("where that has no link to the other, or one that is off, it says so", async () => {
      await call(from.server, "remove_host", { hostId: "there" });
      await refused(
        call(here.server, "migrate_vm", { vmId, toHost: "c" }),
        "VmNotMovable",
        /no link to it.*link it there/,
      );
      assert.deepEqual(await places(), ["b"]);
    });
  },
});
