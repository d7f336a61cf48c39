import assert from "node:assert/strict";
import type { StoredForward } from "../../../lib/network/forwards/plan.ts";
import { ForwardRecords } from "./records.ts";
import { Store } from "../../store/store.ts";

const FORWARD: StoredForward = {
  id: "one",
  network: 'lan\'s "net"',
  protocol: "udp",
  hostAddress: undefined,
  hostPort: 53,
  hostPortEnd: 60,
  targetPort: 1053,
  vmId: "vm",
  vmName: "web",
  mac: "52:54:00:00:00:01",
  address: undefined,
  description: "DNS; DROP TABLE port_forwards",
  enabled: true,
  createdAt: 5,
};

Deno.test("ForwardRecords keep what was written, over a restart", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const other = {
      ...FORWARD,
      id: "two",
      vmId: undefined,
      vmName: undefined,
      address: "10.0.0.5",
      createdAt: 6,
    };
    const store = new Store(folder);
    const records = new ForwardRecords(store);
    assert.equal(records.known, true);
    for (const each of [FORWARD, other, { ...other, id: "three" }]) records.add(each);
    records.enable("two", false);
    records.remove(["three", "nobody"]);
    const wanted = [FORWARD, { ...other, enabled: false }];
    assert.deepEqual(records.all(), wanted);
    store.close();
    const again = new Store(folder);
    assert.deepEqual(new ForwardRecords(again).all(), wanted);
    again.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("ForwardRecords say that nothing can be kept, and then nothing is", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/file`, "");
    const store = new Store(`${folder}/file/below`);
    const records = new ForwardRecords(store);
    assert.equal(records.known, false);
    assert.throws(() => records.add(FORWARD), { code: "StoreUnavailable" });
    assert.deepEqual(records.all(), []);
    store.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
