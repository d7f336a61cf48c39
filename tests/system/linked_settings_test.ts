/** Settings of a linked host from here: its targets of alerts, its retention; and what stays there when the link is revoked. */
import assert from "node:assert/strict";
import type { Output } from "../../lib/contract/mod.ts";
import { testFolder } from "../testbed/folder.ts";
import { call } from "../testbed/product.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { startTlsServer } from "../testbed/tls.ts";
import { until } from "../testbed/wait.ts";

/** The VM that libvirt's test driver has. */
const BEYOND = "6695eb01-f6a4-8304-79aa-97f2502e193f";
const AFTER = "77777777-7777-4777-8777-777777777772";

const vmXml = (name: string, uuid: string) =>
  `<domain type="test"><name>${name}</name><uuid>${uuid}</uuid><memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>`;

Deno.test("linked_settings: a linked host's settings are its own, and a revoked link's alert targets are shown and deleted", async (t) => {
  await using folder = await testFolder();
  const uri = `test://${folder.path}/node.xml`;
  await Deno.writeTextFile(`${folder.path}/node.xml`, "<node/>");
  await using far = await startTlsServer({ uri });
  await using near = await startServer({ uri });
  const step = async (name: string, run: () => Promise<void>) => assert.ok(await t.step(name, run), name);
  const link = async () => {
    const { invitation } = await call(far.server, "invite_host", { address: far.url });
    await call(near, "join_host", { name: "far", invitation });
    await until(
      "it to be read",
      async () => (await call(near, "list_hosts")).every(({ isKnown }) => isKnown),
    );
    return (await call(far.server, "list_peers"))[0]!.id;
  };
  const onFar = async (command: string, input: unknown) => {
    const answer = await fetch(`${near.url}/api/v1/commands/${command}?host=far`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(input),
    });
    assert.equal(answer.status, 200, await answer.clone().text());
    return await answer.json();
  };
  const page = async (path: string, server = near) => {
    const answer = await fetch(server.url + path);
    assert.equal(answer.status, 200, path);
    return await answer.text();
  };
  const target = (name: string) =>
    ({ name, channel: "webhook", url: "http://127.0.0.1:9/hook", privateAddresses: true }) as const;
  const names = async (server = far.server) =>
    (await call(server, "list_alert_targets")).map(({ name }) => name);
  const first = await link();

  await step("targets of alerts are set up there, with who did it, and none here", async () => {
    await call(far.server, "create_alert_target", target("own"));
    await onFar("create_alert_target", target("from-here"));
    assert.deepEqual([await names(), await names(near)], [["own", "from-here"], []]);
    const [own, linked] = await call(far.server, "list_alert_targets");
    assert.equal(own!.peerId, undefined);
    assert.match(linked!.setBy!, /^\w+@\S+/);
    assert.equal(linked!.peerId, first);
    assert.deepEqual((await call(far.server, "list_peers"))[0]!.alertTargets, ["from-here"]);
  });
  await step("VMs of a host that it reads itself are none of its own", async () => {
    await call(far.server, "add_host", { name: "beyond", uri: "test:///default" });
    const seen = async (server: TestServer) => (await call(server, "get_vms")).map(({ id }) => id);
    await until("it to be read there", async () => (await seen(far.server)).includes(BEYOND));
    await call(far.server, "set_tags", { vmId: BEYOND, tags: ["told"] });
    // An event after those
    await call(far.server, "import_vm", { xml: vmXml("after", AFTER) });
    await until("what was told later to have come", async () => (await seen(near)).includes(AFTER));
    assert.ok(!(await seen(near)).includes(BEYOND));
    await call(far.server, "remove_host", { hostId: "beyond" });
  });
  await step("its settings pages are reached from here, and their forms act there", async () => {
    const html = await page("/hosts/far/settings/alert-targets");
    assert.match(html, /from-here/);
    assert.match(html, /action="\/hosts\/far\/do\/create_alert_target/);
    assert.doesNotMatch(html, /action="\/do\/\w+_alert_target/);
    assert.doesNotMatch(await page("/settings/alert-targets"), /from-here/);
    assert.match(await page("/hosts/far/alerts"), /href="\/hosts\/far\/settings\/alert-targets/);
    assert.match(
      await page("/hosts/far/settings/metrics"),
      /action="\/hosts\/far\/do\/update_retention_policy/,
    );
    assert.match(await page("/hosts/far/settings/audit"), /action="\/hosts\/far\/do\/update_audit_retention/);
    const before: Output<"get_audit_retention"> = await call(near, "get_audit_retention");
    await onFar("update_audit_retention", { days: before.days + 7 });
    assert.equal((await call(far.server, "get_audit_retention")).days, before.days + 7);
    assert.equal((await call(near, "get_audit_retention")).days, before.days);
  });
  await step("one that is changed here there belongs to who changed it last", async () => {
    const [own] = await call(far.server, "list_alert_targets");
    await onFar("update_alert_target", { targetId: own!.id, name: "own-2" });
    assert.deepEqual((await call(far.server, "list_peers"))[0]!.alertTargets.toSorted(), [
      "from-here",
      "own-2",
    ]);
    await call(far.server, "update_alert_target", { targetId: own!.id, name: "own" });
    assert.deepEqual((await call(far.server, "list_peers"))[0]!.alertTargets, ["from-here"]);
  });
  await step("revoking says which stay, and the page of targets whose they are", async () => {
    assert.match(await page("/settings/hosts", far.server), /deleteTargets=true/);
    const said = await call(far.server, "remove_peer", { peerId: first });
    assert.deepEqual(said, { deletedTargets: [], keptTargets: ["from-here"] });
    assert.deepEqual(await names(), ["own", "from-here"]);
    assert.match(await page("/settings/alert-targets", far.server), /KVM Manager was revoked/);
  });
  await step("revoking with its targets deletes them, and no others", async () => {
    await call(near, "remove_host", { hostId: "far" });
    const second = await link();
    assert.notEqual(second, first);
    await onFar("create_alert_target", target("again"));
    assert.doesNotMatch(await page("/hosts/far/settings/alert-targets"), /KVM Manager was revoked/);
    const said = await call(far.server, "remove_peer", { peerId: second, deleteTargets: true });
    assert.deepEqual(said, { deletedTargets: ["again"], keptTargets: [] });
    assert.deepEqual(await names(), ["own", "from-here"]);
  });
});
