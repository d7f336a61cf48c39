/** Pages offer what their reader may do, and nothing else: a viewer finds no button that is then refused. */
import assert from "node:assert/strict";
import type { Grant } from "../../lib/contract/mod.ts";
import { personWith } from "../testbed/people.ts";
import { call } from "../testbed/product.ts";
import { startServer } from "../testbed/server.ts";

/** Page → what leads from it to what only some may do. */
const OFFERS: readonly (readonly [page: string, offer: string])[] = [
  ["/vms", 'href="/vms/new"'],
  ["/vms", 'href="/vms/import"'],
  ["/networks", 'href="/networks/new"'],
  ["/images", 'href="/images/new"'],
  ["/storage", 'href="/storage?do=create"'],
  ["/alerts", 'href="/alerts/new"'],
  ["/alerts/rules", 'href="/alerts/new"'],
  ["/alerts/silences", "/do/silence_alert"],
  ["/schedules", 'href="/schedules/new"'],
  ["/backups", 'href="/backups/new"'],
];

Deno.test("pages offer a viewer nothing that they may not do, and an administrator all of it", async () => {
  await using server = await startServer({ uri: "test:///default" });
  const on: Grant["on"] = { kind: "everything" };
  const viewer = await personWith(server, "looks", [{ role: "viewer", on }]);
  const administrator = await personWith(server, "rules", [{ role: "administrator", on }]);
  for (const [page, offer] of OFFERS) {
    const of = async (person: typeof viewer) => await (await person.fetch(page)).text();
    assert.ok((await of(administrator)).includes(offer), `${page} has ${offer}`);
    assert.ok(!(await of(viewer)).includes(offer), `${page} has no ${offer}`);
  }
});

Deno.test("a VM that may be seen alone says so; one's own among others does not", async () => {
  await using server = await startServer({ uri: "test:///default" });
  const id = (await call(server, "get_vms"))[0]!.id;
  const everything: Grant = { role: "viewer", on: { kind: "everything" } };
  const viewer = await personWith(server, "looks", [everything]);
  const owner = await personWith(server, "owns", [
    everything,
    { role: "operator", on: { kind: "vm", vmId: id } },
  ]);
  const page = async (person: typeof viewer) => await (await person.fetch(`/vms/${id}`)).text();
  assert.match(await page(viewer), />View only</);
  assert.doesNotMatch(await page(owner), />View only</);
  // The dashboard's way to the host's graphs is for those who may see them
  const restricted = await personWith(server, "one", [{ role: "operator", on: { kind: "vm", vmId: id } }]);
  assert.doesNotMatch(await (await restricted.fetch("/")).text(), /href="\/monitoring"/);
  assert.match(await (await viewer.fetch("/")).text(), /href="\/monitoring"/);
});

Deno.test("the dashboard of who may see one VM counts that one alone", async () => {
  await using server = await startServer({ uri: "test:///default" });
  const [own] = await call(server, "get_vms");
  const definition = (name: string) =>
    `<domain type='test'><name>${name}</name><memory unit='MiB'>64</memory><vcpu>3</vcpu>` +
    "<os><type arch='x86_64'>hvm</type></os></domain>";
  const others = ["other-a", "other-b"];
  for (const name of others) {
    const { vmId } = await call(server, "import_vm", { xml: definition(name) });
    if (name === "other-a") await call(server, "start_vm", { vmId });
  }
  const everything = await personWith(server, "all", [{ role: "viewer", on: { kind: "everything" } }]);
  const one = await personWith(server, "one", [{ role: "operator", on: { kind: "vm", vmId: own!.id } }]);
  /** The counts of the states that are not none, and of all. */
  const counts = async (person: typeof one) => {
    const html = await (await person.fetch("/")).text();
    const states = html.matchAll(/state-word">([^<]+)<\/span><\/span><b>(\d+)<\/b>/g);
    const [, all] = /<a href="\/vms">[^<]*?(\d+)/.exec(html) ?? [];
    return {
      all,
      states: [...states].flatMap(([, word, count]) => count === "0" ? [] : [`${word} ${count}`]),
      named: [own!.name, ...others].filter((name) => html.includes(`>${name}<`)),
      host: /cpuModel|memoryTotalMb/.test(html),
    };
  };
  const all = await counts(everything), seen = await counts(one);
  assert.deepEqual([all.all, all.states], ["3", ["Running 2", "Stopped 1"]]);
  assert.deepEqual([seen.all, seen.states, seen.host], ["1", ["Running 1"], false]);
  assert.deepEqual(seen.named.filter((name) => others.includes(name)), []);
});
