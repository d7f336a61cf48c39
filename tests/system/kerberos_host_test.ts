/** A host whose libvirt lets in by Kerberos, with a real KDC: by a keytab or a ticket, and what each failure says. */
import assert from "node:assert/strict";
import { askingLibvirt } from "../testbed/asking_libvirt.ts";
import { kerberosRealm } from "../testbed/kerberos.ts";
import { call, refused } from "../testbed/product.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("kerberos") !== null;
const CLIENT = "kvm-manager", SERVICE = "libvirt/127.0.0.1";
/** Seconds that a short ticket holds. */
const SHORT = 4;

Deno.test({
  name: "kerberos_host: a ticket opens it; none, one that ended, no KDC, no principal: each says so",
  ignore,
  fn: async (t) => {
    const step = async (name: string, run: () => Promise<void>) => assert.ok(await t.step(name, run), name);
    await using realm = await kerberosRealm();
    const client = await realm.principal(CLIENT), service = await realm.principal(SERVICE);
    await using far = await askingLibvirt("kerberos", {
      socket: false,
      port: true,
      mechanisms: "gssapi",
      env: { ...realm.env, KRB5_KTNAME: service },
    });
    const vm = await far.host.machine({ start: true });
    const uri = `qemu+tls://127.0.0.1:${far.port}/system?pkipath=${far.certificates.good}`;
    /** A KVM Manager with what it has of tickets. */
    const manager = (more: Record<string, string>) =>
      startServer({
        uri: "test:///default",
        env: {
          ...realm.env,
          KRB5CCNAME: `FILE:${realm.folder}/own-${crypto.randomUUID().slice(0, 8)}`,
          ...more,
        },
      });
    const advised = (reason: string, advice = "KVM Manager needs a ticket for it: .*KRB5_CLIENT_KTNAME") =>
      new RegExp(`${reason}.*\\. This libvirt lets in by Kerberos\\. ${advice}`);

    await step("by a keytab: it is connected without a user or a password, and its VM acts", async () => {
      await using server = await manager({ KRB5_CLIENT_KTNAME: client });
      assert.match((await call(server, "test_host", { uri })).version, /^\d+\.\d+\.\d+$/);
      const added = await call(server, "add_host", { name: "far", uri });
      assert.deepEqual([added.status, added.error, added.username], ["connected", null, undefined]);
      await until(
        "its VM",
        async () => (await call(server, "get_vms")).some(({ id, host }) => id === vm.uuid && host === "far"),
      );
      await call(server, "pause_vm", { vmId: vm.uuid });
      assert.equal(await vm.state(), "paused");
      await call(server, "resume_vm", { vmId: vm.uuid });
      assert.ok((await call(server, "list_credentials")).every(({ kind }) => kind !== "host-password"));
    });
    await step("without a ticket: what Kerberos says, and how KVM Manager gets one", async () => {
      await using server = await manager({});
      await refused(
        call(server, "test_host", { uri }),
        "HostUnreachable",
        advised("No Kerberos credentials available"),
      );
      const added = await call(server, "add_host", { name: "far", uri });
      assert.match(added.error ?? "", advised("No Kerberos credentials available"));
    });
    await step("a ticket opens it until it ends; what is connected stays", async () => {
      const cache = `FILE:${realm.folder}/short`;
      await using server = await manager({ KRB5CCNAME: cache });
      await realm.ticket(client, CLIENT, `${SHORT}s`, cache);
      assert.equal((await call(server, "add_host", { name: "far", uri })).status, "connected");
      await delay((SHORT + 1) * 1000);
      await refused(call(server, "test_host", { uri }), "HostUnreachable", advised("Ticket expired"));
      assert.equal((await call(server, "get_vm", { vmId: vm.uuid })).state, "running");
    });
    await step("no principal of the host, and no KDC", async () => {
      const cache = `FILE:${realm.folder}/long`;
      await realm.ticket(client, CLIENT, "1h", cache);
      await using server = await manager({ KRB5CCNAME: cache });
      await realm.remove(SERVICE);
      await refused(
        call(server, "test_host", { uri }),
        "HostUnreachable",
        advised("not found in Kerberos database", "Add this principal to the realm"),
      );
      // The remedies, carried out: the principal has another key by then, which libvirtd reads from the keytab
      await realm.principal(SERVICE);
      await far.host.kill();
      await far.host.start();
      await call(server, "test_host", { uri });
      await realm.ticket(client, CLIENT, "1h", cache);
      await realm.stop();
      await refused(
        call(server, "test_host", { uri }),
        "HostUnreachable",
        advised("Cannot contact any KDC for realm", "Start the KDC of that realm"),
      );
      await realm.start();
      await call(server, "test_host", { uri });
    });
  },
});
