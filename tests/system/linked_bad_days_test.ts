/**
 * Bad days of linked hosts: one is restored from an old backup, two have the same name and the same VMs, one answers 100 MB or
 * never, a link is removed on one side alone, a token of one host is used on another.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { ContractError } from "../../lib/contract/mod.ts";
import { appHere } from "../testbed/app_here.ts";
import { hostileLink } from "../testbed/hostile_link.ts";
import { testFolder } from "../testbed/folder.ts";
import { linkable, linkTo } from "../testbed/linked.ts";
import { until } from "../testbed/wait.ts";

const URI = "test:///default";
const SAME = "dddddddd-0000-4000-8000-000000000001", OWN = "dddddddd-0000-4000-8000-000000000002";
const LATER = "dddddddd-0000-4000-8000-000000000003";

const failureOf = (call: Promise<unknown>) =>
  call.then(() => assert.fail("it is not refused"), (error: unknown) => {
    assert.ok(error instanceof ContractError, String(error));
    return error;
  });

Deno.test("linked_bad_days: hosts that are restored, alike, endless or silent", async (t) => {
  await using here = await appHere([], URI);
  const { api } = here,
    step = async (name: string, run: () => Promise<void>) => assert.ok(await t.step(name, run), name);
  const [local] = await api.getVms(), status = await api.getConnectionStatus();
  const stateOf = async (vmId: string) => (await api.getVms()).find(({ id }) => id === vmId)?.state;
  await using one = await hostileLink(status);
  await using two = await hostileLink(status);
  const vm = (id: string, more = {}) => ({ ...local!, id, name: id.slice(-1), ...more });
  one.said.vms = [vm(SAME), vm(OWN)];
  two.said.vms = [vm(SAME)];
  await api.joinHost({ name: "one", invitation: one.invitation });
  await api.joinHost({ name: "two", invitation: two.invitation });
  const rows = async () =>
    (await api.getVms()).filter(({ id }) => id !== local!.id).map(({ host, id }) => `${host} ${id.slice(-1)}`)
      .toSorted();
  await until(
    "both to be read",
    async () => (await api.listHosts()).filter(({ isKnown }) => isKnown).length === 3,
  );

  await step(
    "two hosts with the same name and the same VM UUID: each by its own id, the VM once, and it is said",
    async () => {
      const hosts = (await api.listHosts()).filter(({ isLocal }) => !isLocal);
      assert.deepEqual(hosts.map(({ id, linked }) => [id, linked?.hostname]), [["one", "hostile"], [
        "two",
        "hostile",
      ]]);
      assert.deepEqual(await rows(), ["one 1", "one 2"]);
      assert.deepEqual(hosts.map(({ foreignVms }) => foreignVms.map(({ vmId }) => vmId)), [[], [SAME]]);
    },
  );
  await step(
    "a host that is restored from an old backup: its event ids go back, and all is as it tells it then",
    async () => {
      one.tell("vm-updated", { vm: vm(OWN, { state: "paused" }) }, "run-900");
      await until("the event", async () => (await stateOf(OWN)) === "paused");
      // Before OWN was made, and by the ids of then
      one.said.vms = [vm(SAME), vm(LATER)];
      one.said.eventId = "run-5";
      one.cut();
      await until("it to be read again", async () => (await rows()).includes("one 3"), { seconds: 60 });
      assert.deepEqual(await rows(), ["one 1", "one 3"]);
      one.tell("vm-updated", { vm: vm(LATER, { state: "paused" }) }, "run-6");
      await until("a later event", async () => (await stateOf(LATER)) === "paused");
      one.said.answers.set_tags = null;
      one.said.eventId = "run-6";
      const began = performance.now();
      await api.setTags({ vmId: LATER, tags: ["x"] }).catch((error) =>
        assert.ok(error instanceof ContractError)
      );
      assert.ok(performance.now() - began < 10_000, "no answer waits for events that were before");
    },
  );
  await step("an answer of 100 MB ends at its bound and says so; other hosts answer", async () => {
    one.said.answers.get_networks = "x".repeat(100_000_000);
    const failure = await failureOf(api.getNetworks({ host: "one" }));
    assert.equal(failure.code, "LinkedHostNonsense", failure.message);
    assert.match(failure.message, /more than \d+ bytes/);
    assert.ok((await api.getNetworks()).length > 0);
    delete one.said.answers.get_networks;
  });
  await step("a call that is never answered ends in half a minute; lists do not wait for it", async () => {
    one.hanging.add("get_networks");
    const began = performance.now(), asked = failureOf(api.getNetworks({ host: "one" }));
    await rows();
    assert.ok(performance.now() - began < 5000, "the list waits");
    assert.equal((await asked).code, "LinkedHostAway");
    assert.ok(performance.now() - began < 40_000);
  });
});

/** Status of a listener's answer to a token; undefined without an answer. */
async function answeredTo(token: string, url: string): Promise<number | undefined> {
  const asked = request(url, { rejectUnauthorized: false, headers: { authorization: `Bearer ${token}` } });
  asked.end();
  const [response] = await once(asked, "response") as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

Deno.test("linked_bad_days: a link that is removed on one side alone, and a token on the wrong host", async (t) => {
  await using near = await linkable(URI);
  await using folder = await testFolder();
  await Deno.writeTextFile(`${folder.path}/node.xml`, "<node/>");
  await using far = await linkable(`test://${folder.path}/node.xml`);
  const { api } = near,
    step = async (name: string, run: () => Promise<void>) => assert.ok(await t.step(name, run), name);
  const row = async () => (await api.listHosts()).find(({ id }) => id === "far");

  await step(
    "a token of one host is none on the other, and by way of the link is its own host's",
    async () => {
      await linkTo(near, far);
      const grants = [{ role: "administrator" as const, on: { kind: "everything" as const } }];
      const { id: userId } = await api.createUser({ name: "ann", grants });
      const { token } = await api.createToken({ name: "robot", userId, grants });
      const path = "/api/v1/networks";
      assert.equal(await answeredTo(token, near.url + path), 200);
      assert.equal(await answeredTo(token, `${near.url}${path}?host=far`), 200);
      assert.equal(await answeredTo(token, far.url + path), 401);
    },
  );
  await step(
    "removed there alone: it says so here, is no row that acts, and can be linked again",
    async () => {
      const [peer] = await far.api.listPeers();
      await far.api.removePeer({ peerId: peer!.id });
      await until("it to be away", async () => (await row())?.status !== "connected");
      assert.equal((await failureOf(api.getNetworks({ host: "far" }))).code, "LinkedHostAway");
      const { error } = await until("why", async () => {
        const found = await row();
        return typeof found?.error === "string" ? found : undefined;
      });
      assert.match(error!, /KVM Manager there cannot be reached: .+/);
      await api.removeHost({ hostId: "far" });
      await linkTo(near, far);
      await until("it to be back", async () => (await row())?.status === "connected");
    },
  );
  await step(
    "removed here alone: nothing here acts there, and another link takes the place of what is left",
    async () => {
      await api.removeHost({ hostId: "far" });
      assert.equal((await far.api.listPeers()).length, 1, "that host has not been told");
      assert.equal((await failureOf(api.getNetworks({ host: "far" }))).code, "HostNotFound");
      await linkTo(near, far, { role: "viewer" });
      assert.deepEqual((await far.api.listPeers()).map(({ role }) => role), ["viewer"]);
    },
  );
});
