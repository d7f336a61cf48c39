/** A linked host that answers for ever, a byte a second: each wait has its limit, and nothing of other hosts waits. */
import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/mod.ts";
import { appHere } from "../testbed/app_here.ts";
import { hostileLink } from "../testbed/hostile_link.ts";
import { until } from "../testbed/wait.ts";

const SLOW = "eeeeeeee-0000-4000-8000-000000000001", OTHER = "eeeeeeee-0000-4000-8000-000000000002";
/** Milliseconds: of a call of which nothing waits for the slow host; of one to it; until its link is given up. */
const SOON_MS = 2500, CALL_MS = 25_000, LINK_MS = 45_000;

/** How a call was refused, and after how many milliseconds. */
async function refused(call: Promise<unknown>) {
  const began = performance.now();
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof ContractError, String(error));
    return { code: error.code, message: error.message, took: performance.now() - began };
  }
  return assert.fail("it is not refused");
}

Deno.test("linked_slow_host: answers and events of a byte a second, for ever", async (t) => {
  const step = async (name: string, run: () => Promise<void>) => assert.ok(await t.step(name, run), name);
  await using here = await appHere([], "test:///default");
  const { api } = here, [local] = await api.getVms(), status = await api.getConnectionStatus();
  await using slow = await hostileLink(status);
  await using other = await hostileLink(status);
  slow.said.vms = [{ ...local!, id: SLOW, name: "slow" }];
  other.said.vms = [{ ...local!, id: OTHER, name: "other" }];
  other.said.answers.get_networks = [];
  await api.joinHost({ name: "slow", invitation: slow.invitation });
  await api.joinHost({ name: "other", invitation: other.invitation });
  await until("both to be read", async () => (await api.getVms()).length === 3);
  const row = async () => (await api.listHosts()).find(({ id }) => id === "slow")!;

  await step("questions and changes end, by heads and by body, and name the host; others go on", async () => {
    for (
      const [command, part] of [["get_networks", "body"], ["get_storage_pools", "heads"], [
        "set_tags",
        "body",
      ]] as const
    ) {
      slow.dripping.set(command, part);
    }
    const calls = [
      refused(api.getNetworks({ host: "slow" })),
      refused(api.getStoragePools({ host: "slow" })),
      refused(api.setTags({ vmId: SLOW, tags: ["x"] })),
    ];
    const began = performance.now();
    assert.equal((await api.getVms()).length, 3);
    assert.deepEqual(await api.getNetworks({ host: "other" }), []);
    await api.getVm({ vmId: local!.id });
    assert.ok(performance.now() - began < SOON_MS, "what is of other hosts waits");
    const [question, heads, change] = await Promise.all(calls);
    assert.deepEqual([question!.code, heads!.code, change!.code], [
      "LinkedHostAway",
      "LinkedHostAway",
      "LinkUndecided",
    ]);
    for (const { took, message } of [question!, heads!, change!]) {
      assert.ok(took < CALL_MS, `${Math.round(took)} ms`);
      assert.match(message, /slow/);
    }
    assert.equal((await row()).status, "connected", "its events come: it is there");
    slow.dripping.clear();
  });

  await step(
    "events that never become whole are no sign of life: the link is given up, and comes back",
    async () => {
      slow.dripping.set("events", "body");
      slow.cut();
      await until(
        "it to be up by what it drips, or given up",
        async () => (await row()).status !== "connected",
        {
          seconds: LINK_MS / 1000,
        },
      );
      const { error } = await until("why", async () => {
        const found = await row();
        return /sign of life/.test(found.error ?? "") && found;
      }, { seconds: LINK_MS / 1000 });
      assert.match(error!, /gives no sign of life/);
      const began = performance.now();
      await api.getNetworks({ host: "other" });
      assert.equal((await refused(api.getNetworks({ host: "slow" }))).code, "LinkedHostAway");
      assert.equal((await api.getVms()).length, 3, "its VMs stay, as they were known last");
      assert.ok(performance.now() - began < SOON_MS);
      slow.dripping.clear();
      await until("it to be back", async () => (await row()).status === "connected", {
        seconds: LINK_MS / 1000,
      });
    },
  );

  await step("one that drips as it is joined is refused in time, and nothing of it is kept", async () => {
    await using third = await hostileLink(status);
    third.dripping.set("hello", "body");
    const { code, took } = await refused(api.joinHost({ name: "third", invitation: third.invitation }));
    assert.equal(code, "LinkFailed");
    assert.ok(took < 10_000, `${Math.round(took)} ms`);
    assert.equal((await api.listHosts()).some(({ id }) => id === "third"), false);
  });

  await step("the program ends at once with calls to it open", async () => {
    slow.dripping.set("get_networks", "body");
    slow.dripping.set("set_tags", "heads");
    const open = [
      refused(api.getNetworks({ host: "slow" })),
      refused(api.setTags({ vmId: SLOW, tags: ["y"] })),
    ];
    await until("both to be sent", () =>
      Promise.resolve(
        ["get_networks", "set_tags"].every((each) =>
          slow.got.filter(({ path }) => path.endsWith(each)).length > 1
        ),
      ));
    const began = performance.now();
    await here.app.linked.served("slow")!.stop();
    await Promise.all(open);
    assert.ok(performance.now() - began < SOON_MS, `${Math.round(performance.now() - began)} ms`);
  });
});
