/** A linked host that lies: it gets no call of other hosts' VMs, and what it tells is bounded. */
import assert from "node:assert/strict";
import { principalOf } from "../../agent/access.ts";
import { permissionsOf } from "../../lib/access/permissions.ts";
import { appHere } from "../testbed/app_here.ts";
import { testFolder } from "../testbed/folder.ts";
import { hostileLink } from "../testbed/hostile_link.ts";
import { call, refusal } from "../testbed/product.ts";
import { startServer } from "../testbed/server.ts";
import { until } from "../testbed/wait.ts";

const URI = "test:///default";
const STOLEN = "aaaaaaaa-0000-4000-8000-000000000001", OWN = "bbbbbbbb-0000-4000-8000-000000000001";

Deno.test({
  name: "hostile_link: a VM of a host that is away stays its own, also after a restart",

  fn: async () => {
    await using folder = await testFolder();
    const options = { uri: URI, dataDir: `${folder.path}/data` };
    let server = await startServer(options);
    try {
      const [local] = await call(server, "get_vms"), status = await call(server, "get_connection_status");
      const vm = (id: string, name: string) => ({ ...local!, id, name });
      await using good = await hostileLink(status);
      await using bad = await hostileLink(status);
      good.said.vms = [vm(STOLEN, "database")];
      bad.said.vms = [vm(OWN, "own")];
      const shown = async () =>
        (await call(server, "get_vms")).map(({ host, name }) => `${host} ${name}`).filter((each) =>
          !each.endsWith(local!.name)
        ).toSorted();
      // The one that lies is linked first
      await call(server, "join_host", { name: "bad", invitation: bad.invitation });
      await call(server, "join_host", { name: "good", invitation: good.invitation });
      await until("both to be read", async () => (await shown()).length === 2);
      bad.said.vms = [vm(STOLEN, "stolen"), vm(local!.id, "stolen-local"), vm(OWN, "own")];
      for (const each of bad.said.vms) bad.tell("vm-created", { vm: each });
      await until(
        "the claim to be seen",
        async () =>
          (await call(server, "list_hosts")).some(({ id, foreignVms }) =>
            id === "bad" && foreignVms.length === 2
          ),
      );
      assert.deepEqual(await shown(), ["bad own", "good database"]);

      await server.stop();
      await good[Symbol.asyncDispose]();
      server = await startServer(options);
      await until("the one that lies to be read", async () => (await shown()).includes("bad own"));
      assert.deepEqual(await shown(), ["bad own"]);
      bad.got.length = 0;
      for (const vmId of [STOLEN, local!.id]) {
        await refusal(call(server, "guest_set_password", { vmId, user: "root", password: "S3cretPass" }));
      }
      assert.deepEqual(bad.got.filter(({ body }) => body.includes("S3cretPass")), []);
      assert.ok(await refusal(call(server, "get_networks", { host: "bad" })), "it is asked of itself alone");
    } finally {
      await server[Symbol.asyncDispose]();
    }
  },
});

Deno.test({
  name: "hostile_link: a linked host is told no ids of others' VMs, and what it tells is bounded",

  fn: async () => {
    await using here = await appHere([], URI);
    const { api, app } = here;
    const [local] = await api.getVms();
    await using bad = await hostileLink(await api.getConnectionStatus());
    bad.said.vms = [{ ...local!, id: OWN, name: "own" }];
    await api.joinHost({ name: "bad", invitation: bad.invitation });
    await until("it to be read", async () => (await api.getVms()).length === 2);

    const permissions = permissionsOf("operator");
    const ann = principalOf({
      name: "ann",
      door: "api",
      via: "session",
      rights: [[
        { permissions, on: { kind: "vm", vmId: local!.id } },
        { permissions, on: { kind: "vm", vmId: OWN } },
        { permissions, on: { kind: "host", host: "bad" } },
      ]],
    });
    await assert.rejects(app.dispatch("get_networks", { host: "bad" }, ann));
    const told = JSON.stringify(bad.got.findLast(({ caller }) => caller?.name === "ann")?.caller);
    assert.ok(told.includes(OWN) && !told.includes(local!.id), told);

    const job = {
      command: "create_vm",
      actor: "a",
      state: "running",
      progress: null,
      doneBytes: null,
      totalBytes: null,
      startedAt: 1,
      endedAt: null,
      secondsLeft: null,
      error: null,
      cancellable: true,
      cancelling: false,
    };
    for (let n = 0; n < 6; n++) {
      bad.tell("job-changed", { job: { ...job, id: `j${n}`, title: "x".repeat(1_900_000) } });
    }
    bad.tell("job-changed", { job: { ...job, id: "small", title: "small" } });
    await until(
      "what came last",
      async () => (await api.listJobs({})).some(({ id }) => id === "small"),
      { seconds: 60 },
    );
    assert.deepEqual((await api.listJobs({})).map(({ id }) => id), ["small"]);
  },
});
