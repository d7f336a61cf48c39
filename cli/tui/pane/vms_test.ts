import assert from "node:assert/strict";
import { aVm } from "../../../lib/text/vm_fixture_test.ts";
import { answersOf, offered, painted, place, press, tableServer, TestDesk } from "../testing.ts";
import { VmsPane } from "./vms.ts";

const WEB = aVm({ name: "web", id: "id-web", state: "running" });
const DB = aVm({ name: "db", id: "id-db", state: "stopped", group: "data" });

async function shown(...options: Parameters<typeof answersOf>) {
  const desk = await TestDesk.of(tableServer(answersOf(...options)));
  const pane = new VmsPane(desk);
  return {
    desk,
    pane,
    lines: (columns = 80, rows = 20) => painted(pane.lines(place(columns, rows)), columns),
  };
}

Deno.test("the list is in the order of names, with the keys that the state of the selected VM allows", async () => {
  const { pane, lines } = await shown([WEB, DB]);
  const [titles, first, second] = lines();
  assert.match(titles!, /^ +NAME +STATE +CPU +MEMORY +ADDRESS/);
  assert.match(first!, /^> db +\. stopped/);
  assert.match(second!, /^ {2}web +\* running/);
  assert.ok(offered(pane).includes("Start") && offered(pane).includes("Delete"));
  assert.ok(!offered(pane).includes("Force off"));
  press(pane, "down");
  assert.ok(offered(pane).includes("Force off") && offered(pane).includes("Console"));
  assert.ok(!offered(pane).includes("Delete"));
});

Deno.test("what a role may not do is not offered, VM by VM", async () => {
  const { pane } = await shown([WEB, DB], { grants: [{ role: "viewer", on: { kind: "everything" } }] });
  for (const key of ["down", "up"]) {
    press(pane, key);
    assert.deepEqual(offered(pane).filter((label) => /^[A-Z]|create/.test(label)), []);
  }
  const { pane: mixed } = await shown([WEB, DB], {
    grants: [{ role: "viewer", on: { kind: "everything" } }, {
      role: "operator",
      on: { kind: "group", group: "data" },
    }],
  });
  assert.ok(offered(mixed).includes("Start"));
  press(mixed, "down");
  assert.ok(!offered(mixed).includes("Force off"));
});

Deno.test("nothing is done before y, and what is done is about the VM that was asked about", async () => {
  const { desk, pane } = await shown([WEB, DB]);
  press(pane, "down", "K");
  for (const key of ["enter", " ", "Q", "x"]) press(desk.top, key);
  assert.equal(desk.panes.length, 1);
  press(desk.top, "n");
  assert.deepEqual([desk.panes.length, desk.works.length], [0, 0]);
  press(pane, "K");
  press(desk.top, "y");
  assert.deepEqual(desk.works.map(({ name, input }) => [name, input]), [["force_stop_vm", {
    vmId: "id-web",
  }]]);
  press(pane, "up", "D");
  press(desk.top, "d");
  assert.deepEqual(desk.works.at(-1)?.input, { vmId: "id-db", deleteDisks: true });
});

Deno.test("the selection stays with its VM when others come and go; where it is gone, its neighbour is selected", async () => {
  const many = Array.from({ length: 30 }, (_, index) => aVm({ name: `vm${index}`, id: `id${index}` }));
  const { desk, pane, lines } = await shown(many);
  press(pane, "end");
  assert.equal(pane.selected?.name, "vm29");
  const bottom = lines(80, 10);
  assert.equal(bottom.length, 10);
  assert.match(bottom.at(-1)!, /^> vm29/);
  press(pane, "page-up");
  assert.equal(pane.selected?.name, "vm20");
  press(pane, "/", "v", "m", "2", "9", "enter");
  assert.equal(pane.selected?.name, "vm29");
  press(pane, "esc");
  assert.equal(desk.panes.length, 0);
  assert.equal(pane.selected?.name, "vm29");
});

Deno.test("search: letters are text, not keys; nothing found says so", async () => {
  const { desk, pane, lines } = await shown([WEB, DB]);
  press(pane, "/", "K", "D", "q");
  assert.equal(desk.panes.length + desk.works.length, 0);
  assert.match(lines().join("\n"), /Search: KDq[^]*No VM has "KDq"/);
  press(pane, "ctrl+u", "w", "e");
  assert.match(lines().join("\n"), /> web/);
});

Deno.test("why there is no list is said", async () => {
  const desk = await TestDesk.of(tableServer({}));
  assert.match(painted(new VmsPane(desk).lines(place())).join("\n"), /not (get_session|list_hosts)/);
});

Deno.test("every width from 40 to 200 has lines of that width at most", async () => {
  const hostile = aVm({ name: `${"\u65e5".repeat(50)}\x1b[2J`, id: "x", tags: ["\u202eevil"] });
  const { pane } = await shown([hostile, WEB]);
  for (let columns = 40; columns <= 200; columns += 7) {
    for (const each of painted(pane.lines(place(columns)), columns)) assert.ok(each.length <= columns, each);
  }
});
