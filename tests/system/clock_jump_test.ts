/** The host's clock set ahead and back under the running server (fault 13): libfaketime moves the wall clock alone. */
import assert from "node:assert/strict";
import { fakeClock, LIBRARY } from "../testbed/fake_clock.ts";
import { asRoot, signedIn } from "../testbed/people.ts";
import { readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu", "faketime") !== null;
const PASSWORD = "correct horse battery";
const DAY = 24 * 3600_000;

Deno.test({
  name:
    "a clock that is set ahead or back signs no user out, locks no user out, and removes nothing from the audit log",
  ignore,
  fn: async (t) => {
    await using clock = await fakeClock();
    await using server = await readyServer({
      uri: "test:///default",
      logLevel: "info",
      env: clock.env,
    });
    await asRoot(server, "create_user", {
      name: "ann",
      password: PASSWORD,
      grants: [{ role: "administrator", on: { kind: "everything" } }],
    });
    const ann = await signedIn(server, "ann", PASSWORD);
    const { stored: before } = await asRoot(server, "get_audit_retention", {});
    for (const [offset, days] of [["+400d", 400], ["-4000d", -4000], ["+0", 0]] as const) {
      await t.step(`set to ${offset}`, async () => {
        await clock.set(offset);
        const [vm] = await ann.call("get_vms");
        const entry = await until("an entry of the new time", async () => {
          await ann.call("set_tags", { vmId: vm!.id, tags: [`t${Math.abs(days)}`] });
          const [newest] = await ann.call("get_audit_log", { action: "set_tags", limit: 1 });
          return newest && Math.abs(newest.timestamp - Date.now() - days * DAY) < DAY ? newest : null;
        }, { seconds: 10 });
        assert.equal(entry.actor, "ann");
        assert.equal((await ann.call("get_session")).name, "ann", "still signed in");
        const again = await signedIn(server, "ann", PASSWORD);
        assert.equal((await again.call("get_session")).name, "ann", "and others sign in");
        const { held, stored } = await ann.call("get_audit_retention");
        assert.equal(held !== undefined, days !== 0, String(held));
        assert.ok(stored! > before!);
      });
    }
  },
});

Deno.test({
  name: "a start with a clock years ahead of the last run removes nothing by age, and says so",
  ignore,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    try {
      const run = async (offset: string) => {
        await using server = await readyServer({
          uri: "test:///default",
          dataDir: folder,
          env: { LD_PRELOAD: LIBRARY, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: "1" },
        });
        const [bin, audit, metrics] = await Promise.all([
          asRoot(server, "get_bin_usage", {}),
          asRoot(server, "get_audit_retention", {}),
          asRoot(server, "get_retention_policy", {}),
        ]);
        return [bin, audit, metrics].map(({ held }) => held);
      };
      assert.deepEqual(await run("+0"), [undefined, undefined, undefined]);
      for (const held of await run("+800d")) {
        assert.match(held!, /800 days ahead of when KVM Manager last ran/);
      }
      assert.deepEqual(await run("+1d"), [undefined, undefined, undefined], "it was set right");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
