import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/mod.ts";
import { settingsHere } from "../../tests/testbed/app_here.ts";
import { Application } from "../app.ts";
import { setLogLevel } from "../log.ts";
import { Store } from "../store/store.ts";
import { HOST_MIGRATIONS, HostRecords } from "./records.ts";

setLogLevel("error");

const TABLES = [{ name: "host", migrations: HOST_MIGRATIONS }];
const LAB = { id: "lab", label: "The lab", uri: "qemu+ssh://lab/system", added: 2, isEnabled: true };
const ATTIC = { id: "attic", label: "Attic", uri: "qemu+tls://attic/system", added: 1, isEnabled: true };

async function withFolder(run: (folder: string) => void | Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("HostRecords keep hosts over a restart, in the order in which they were added", () =>
  withFolder((folder) => {
    const open = (run: (records: HostRecords) => void) => {
      const store = new Store(folder, undefined, TABLES);
      run(new HostRecords(store));
      store.close();
    };
    open((records) => {
      for (const host of [LAB, ATTIC]) records.put(host);
      assert.deepEqual(records.all(), [ATTIC, LAB]);
      assert.throws(() => records.put({ ...LAB, id: "local" }));
    });
    open((records) => {
      assert.deepEqual(records.all(), [ATTIC, LAB]);
      records.put({ ...LAB, uri: "qemu+tls://lab/system" });
      records.remove("attic");
    });
    open((records) => assert.deepEqual(records.all(), [{ ...LAB, uri: "qemu+tls://lab/system" }]));
  }));

Deno.test("HostRecords say that a host cannot be kept, and then it is none", () =>
  withFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/file`, "");
    const records = new HostRecords(new Store(`${folder}/file/below`, undefined, TABLES));
    assert.throws(
      () => records.put(LAB),
      (error) => error instanceof ContractError && error.code === "StoreUnavailable",
    );
    assert.deepEqual(records.all(), []);
  }));

Deno.test("App serves the hosts that are kept, after the local one", () =>
  withFolder(async (folder) => {
    const store = new Store(folder, undefined, TABLES), records = new HostRecords(store);
    for (const host of [LAB, ATTIC]) records.put(host);
    store.close();
    const app = new Application({ ...settingsHere(folder), uri: "test:///default" });
    try {
      assert.deepEqual(
        app.hosts.all().map(({ id, label, link: { uri } }) => [id, id === "local" ? "" : label, uri]),
        [["local", "", "test:///default"], ["attic", ATTIC.label, ATTIC.uri], ["lab", LAB.label, LAB.uri]],
      );
    } finally {
      await app.stop();
    }
  }));
