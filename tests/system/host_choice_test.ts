/** The choice of the host that a VM is created on, as pages show it without script. */
import assert from "node:assert/strict";
import { principalOf } from "../../agent/access.ts";
import { offersOf } from "../../lib/access/offers_of.ts";
import { permissionsOf } from "../../lib/access/permissions.ts";
import type { Rights } from "../../lib/access/rights.ts";
import { hostsForVms } from "../../routes/(_shared)/host_choice.ts";
import { FAR_VM, THIRD_HOST, thirdHost } from "../testbed/third_host.ts";
import { SECOND_HOST, twoHosts } from "../testbed/two_hosts.ts";
import { until } from "../testbed/wait.ts";

type Hosts = Awaited<ReturnType<typeof twoHosts>>;

async function pageOf({ open }: Hosts, path: string): Promise<string> {
  const response = await open(path);
  assert.equal(response.status, 200, path);
  return await response.text();
}

/** The hosts that a page offers, in its order, each with its card's markup. */
const cardsOf = (html: string): Map<string, string> =>
  new Map(
    html.split('<li class="template-card" data-host-row="').slice(1).map((card) => {
      const [id] = card.split('"');
      return [id!, card];
    }),
  );

const isForm = (html: string) => /<form[^>]*action="[^"]*\/vms\/new"/.test(html);

Deno.test("with one host a VM is created without a choice of the host", async () => {
  await using host = await twoHosts();
  await host.api.enableHost({ hostId: SECOND_HOST, enabled: false });
  const html = await pageOf(host, "/vms/new");
  assert.ok(isForm(html));
  assert.doesNotMatch(html, /host-chosen|host-choice/);
});

Deno.test("with several hosts a VM is created on a chosen one, with advice what each has left", async (t) => {
  await using host = await twoHosts();
  await using far = await thirdHost(host);
  await t.step("the page offers each, the one with room recommended and first", async () => {
    const html = await pageOf(host, "/vms/new"), cards = cardsOf(html);
    assert.ok(!isForm(html));
    assert.deepEqual([...cards.keys()], ["local", THIRD_HOST, SECOND_HOST]);
    const [local, third, second] = [...cards.values()] as [string, string, string];
    assert.match(local, /Recommended/);
    assert.match(local, /href="\/vms\/new\?host=local"/);
    assert.match(third, new RegExp(`href="/hosts/${THIRD_HOST}/vms/new"`));
    assert.match(third, /2\.5 GiB of 3 GiB memory free/, "512 MiB are assigned");
    assert.match(third, /100 GiB free in pool far-pool/);
    assert.doesNotMatch(third + second, /Recommended/);
    assert.match(second, /Less than 2 GiB of memory is free/);
    assert.match(
      second,
      new RegExp(`href="/hosts/${SECOND_HOST}/vms/new"`),
      "it is advised against, not refused",
    );
  });
  await t.step("the form of the chosen one says which it is, and leads back", async () => {
    for (
      const [path, action] of [
        ["/vms/new?host=local", "/vms/new"],
        [`/hosts/${SECOND_HOST}/vms/new`, `/hosts/${SECOND_HOST}/vms/new`],
        [`/hosts/${THIRD_HOST}/vms/new`, `/hosts/${THIRD_HOST}/vms/new`],
        ["/vms/new?iso=default-pool%2Fa.iso", "/vms/new"],
      ] as const
    ) {
      const html = await pageOf(host, path);
      assert.match(html, new RegExp(`<form[^>]*action="${action}"`), path);
      const [chosen = ""] = /<nav class="host-chosen".*?<\/nav>/s.exec(html) ?? [];
      assert.match(chosen, /href="\/vms\/new"/, path);
      if (path.startsWith("/hosts")) assert.match(chosen, new RegExp(`<bdi>${path.split("/")[2]}</bdi>`));
    }
  });
  await t.step("what is sent from it is created there, and nowhere else", async () => {
    const body = new URLSearchParams({ name: "chosen", source: "none", memoryMb: "256", cpuCount: "1" });
    const answer = await host.open(`/hosts/${THIRD_HOST}/vms/new`, {
      method: "POST",
      redirect: "manual",
      body,
      headers: { accept: "text/html" },
    });
    assert.equal(answer.status, 303, await answer.text());
    const made = (await host.api.getVms({})).filter(({ name }) => name === "chosen");
    assert.deepEqual(made.map((vm) => vm.host), [THIRD_HOST]);
  });
  await t.step("who sees all hosts and may create VMs on one is offered that one alone", async () => {
    const rights: Rights = [[
      { permissions: permissionsOf("viewer"), on: { kind: "everything" } },
      { permissions: permissionsOf("administrator"), on: { kind: "host", host: THIRD_HOST } },
    ]];
    const api = host.app.apiFor(principalOf({ name: "ann", door: "page", via: "session", rights }));
    const ids = (await api.listHosts()).map(({ id }) => id);
    assert.deepEqual(ids, ["local", SECOND_HOST, THIRD_HOST]);
    const offers = offersOf(rights, () => [], ids, "local");
    assert.deepEqual((await hostsForVms({ api, offers })).map(({ id }) => id), [THIRD_HOST]);
  });
  await t.step("one that is away says why, cannot be chosen, and holds up no other", async () => {
    await far.unlisten();
    await until(
      "it is away",
      async () =>
        (await host.api.listHosts()).some(({ id, status }) => id === THIRD_HOST && status === "disconnected"),
    );
    const began = performance.now();
    const cards = cardsOf(await pageOf(host, "/vms/new"));
    assert.ok(performance.now() - began < 3000);
    assert.deepEqual([...cards.keys()].at(-1), THIRD_HOST);
    const away = cards.get(THIRD_HOST)!;
    assert.match(away, /Not connected since/);
    assert.match(away, /the connection was cut|ECONNREFUSED/);
    assert.doesNotMatch(away, /href=/);
    assert.match(cards.get("local")!, /Recommended/);
    assert.equal((await host.api.getVms({})).filter(({ id }) => id === FAR_VM.id).length, 1);
    const known = await host.api.getVms({ host: THIRD_HOST });
    assert.deepEqual(known.map(({ id, host }) => [id, host]).filter(([id]) => id === FAR_VM.id), [
      [FAR_VM.id, THIRD_HOST],
    ]);
    assert.equal((await host.api.getVm({ vmId: FAR_VM.id })).name, FAR_VM.name);
    const list = await pageOf(host, `/hosts/${THIRD_HOST}/vms`);
    assert.match(list, new RegExp(FAR_VM.name));
    for (const path of [`/vms/${FAR_VM.id}`, `/hosts/${THIRD_HOST}/`]) {
      const answer = await host.open(path);
      assert.match(await answer.text(), /the connection was cut|ECONNREFUSED/, `${path} says why`);
      assert.equal(answer.status, 503, path);
    }
  });
});
