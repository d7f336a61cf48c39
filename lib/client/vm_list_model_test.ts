import assert from "node:assert/strict";
import { signal } from "@preact/signals";
import type { ConnectionStatus } from "../contract/mod.ts";
import { DEFAULT_QUERY } from "../vm/list_query.ts";
import { aVm } from "../text/vm_fixture_test.ts";
import { countVms } from "../vm/list.ts";
import { VmListModel } from "./vm_list_model.ts";
import { VmStore } from "./vm_store.ts";

const all = ["a", "b", "c", "d"].map((name) => aVm({ name, state: name === "d" ? "stopped" : "running" }));

function setUp(known = all) {
  const store = new VmStore();
  store.seed(known, known.length === all.length);
  const model = new VmListModel(store, {
    vms: known,
    matching: all.length,
    counts: countVms(all),
    query: DEFAULT_QUERY,
    hosts: [],
  }, () => signal(null));
  return { store, model, ids: () => model.rows.value.map(({ id }) => id) };
}

Deno.test("VmListModel shows the page's rows until the whole list is here", () => {
  const { store, model, ids } = setUp([all[2]!, all[0]!]);
  assert.deepEqual(ids(), ["c", "a"]);
  assert.equal(model.matching.value, 4);
  assert(model.loading.value);
  store.replace(all);
  assert.deepEqual(ids(), ["a", "b", "c", "d"]);
  assert(!model.loading.value);
});

Deno.test("VmListModel.toggle() with range selects what lies between", () => {
  const { model } = setUp();
  model.toggle("a");
  model.toggle("c", true);
  assert.deepEqual([...model.selected.value], ["a", "b", "c"]);
  model.toggle("b");
  assert.deepEqual([...model.selected.value], ["a", "c"]);
});

Deno.test("VmListModel.toggleAll() selects what is shown, then nothing", () => {
  const { model } = setUp();
  model.ask({ state: "running" });
  model.toggleAll();
  assert.deepEqual([...model.selected.value], ["a", "b", "c"]);
  model.toggleAll();
  assert.equal(model.selected.value.size, 0);
});

Deno.test("VmListModel.ask() never leaves something selected that is not shown", () => {
  const { model } = setUp();
  model.toggleAll();
  model.ask({ state: "stopped" });
  assert.deepEqual([...model.selected.value], ["d"]);
  assert.equal(model.search, "?state=stopped");
});

Deno.test("VmListModel: a machine that no longer matches the filter is not acted on", () => {
  const { store, model } = setUp();
  model.ask({ state: "stopped" });
  model.toggle("d");
  store.setState("d", "running");
  assert.deepEqual(model.selectedVms.value, []);
});

Deno.test("VmListModel: a deleted machine is no longer selected", () => {
  const { store, model } = setUp();
  model.toggle("a");
  store.remove("a");
  assert.deepEqual(model.selectedVms.value, []);
});

Deno.test("VmListModel: VMs of a host that is away are not selected, and are again when it is back", () => {
  const there = { label: "", error: null, since: 0, connected: true };
  const hosts = [{ id: "local", ...there }, { id: "lab", ...there }];
  const lab = signal<ConnectionStatus | null>(null), store = new VmStore();
  const [first, second] = [aVm({ name: "a", host: "kvm1" }), aVm({ name: "b", host: "lab" })];
  store.seed([first, second], true);
  const page = { vms: [first, second], matching: 2, counts: countVms([first, second]), query: DEFAULT_QUERY };
  const model = new VmListModel(store, { ...page, hosts }, (id) => id === "lab" ? lab : signal(null));
  model.toggleAll();
  assert.deepEqual(model.selectedVms.value, [first, second]);
  lab.value = { connected: false, uri: "", status: "disconnected", error: "cut", since: 7 };
  assert.deepEqual(model.selectedVms.value, [first]);
  assert.deepEqual([model.awayOf(first), model.awayOf(second)?.since], [undefined, 7]);
  model.clear();
  model.toggleAll();
  assert.deepEqual([...model.selected.value], [first.id]);
  lab.value = { ...lab.value, connected: true, status: "connected" };
  assert.equal(model.awayOf(second), undefined);
});
