/** A linked host whose clock is a day ahead or behind: joining, lists, ages, tasks, figures and the audit log. */
import assert from "node:assert/strict";
import { localPrincipal } from "../../agent/testing.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../lib/duration.ts";
import { fakeClock } from "../testbed/fake_clock.ts";
import { testFolder } from "../testbed/folder.ts";
import { linkable } from "../testbed/linked.ts";
import { call } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { startTlsServer } from "../testbed/tls.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("faketime") !== null;

/** libvirt's test driver with one VM of its own. */
const NODE = (uuid: string) =>
  `<node><domain type="test"><name>far</name><uuid>${uuid}</uuid><memory>65536</memory><vcpu>1</vcpu>` +
  `<os><type>hvm</type></os></domain></node>`;

const isNear = (at: number | undefined | null, now = Date.now()) =>
  typeof at === "number" && Math.abs(at - now) < MINUTE_MS;

for (const [offset, aheadMs] of [["+1d", DAY_MS], ["-1d", -DAY_MS]] as const) {
  Deno.test({
    name:
      `linked_clock: a host whose clock is set ${offset} is used as any other, and its times are those here`,
    ignore,
    fn: async (t) => {
      await using clock = await fakeClock();
      await clock.set(offset);
      await using folder = await testFolder();
      const vmId = crypto.randomUUID();
      await Deno.writeTextFile(`${folder.path}/node.xml`, NODE(vmId));
      await using far = await startTlsServer({ uri: `test://${folder.path}/node.xml`, env: clock.env });
      await using near = await linkable("test:///default");
      const { api } = near, onFar = near.app.apiFor(localPrincipal("page"), "far");
      const step = async (name: string, run: () => Promise<void>) => assert.ok(await t.step(name, run), name);

      await step("it joins, and its row says how its clock differs", async () => {
        const { invitation, expiresAt } = await call(far.server, "invite_host", { address: far.url });
        assert.ok(isNear(expiresAt - aheadMs - 10 * MINUTE_MS), "the invitation ends by its own clock");
        await api.joinHost({ name: "far", invitation });
        const host = await until("it to be read", async () => {
          const found = (await api.listHosts()).find(({ id }) => id === "far");
          return found?.isKnown ? found : undefined;
        });
        assert.ok(Math.abs(host.linked!.clockAheadMs! - aheadMs) < 2000, String(host.linked!.clockAheadMs));
        assert.equal(host.status, "connected");
        assert.ok(isNear(host.since));
        assert.ok(host.load === undefined || isNear(host.load.timestamp));
      });

      await step("moments of its VM, of tasks, figures and entries are by the clock here", async () => {
        await api.setTags({ vmId, tags: ["one"] });
        await api.pauseVm({ vmId });
        const vm = (await api.getVms()).find(({ id }) => id === vmId)!;
        assert.deepEqual(vm.tags, ["one"], "the answer's next list has it");
        assert.ok(isNear(vm.stateSince), String(vm.stateSince));
        const { from, to } = await onFar.getHostMetrics({ window: "1h" });
        assert.ok(isNear(to) && isNear(from + HOUR_MS), `${from} to ${to}`);
        assert.ok(isNear((await onFar.getHostStats()).timestamp));
        assert.ok(isNear((await call(far.server, "get_host_stats")).timestamp - aheadMs), "there by its own");
        const [entry] = await onFar.getAuditLog({ action: "set_tags" });
        assert.equal(entry?.vmId, vmId);
        assert.ok(isNear(entry?.timestamp), String(entry?.timestamp));
        const range = { since: Date.now() - MINUTE_MS, until: Date.now() + MINUTE_MS };
        const within = await onFar.getAuditLog(range);
        assert.ok(within.length > 0, "a range is asked for by the clock here");
      });

      await step(
        "a clock that is set while the link is up is noticed, and the lists are read again",
        async () => {
          await clock.set("+0");
          await until("the difference to go", async () => {
            await onFar.getHostStats();
            return (await api.listHosts()).find(({ id }) => id === "far")?.linked?.clockAheadMs === undefined;
          });
          // It is kept there by the clock of then
          await until("its lists to be read again", async () => {
            const { stateSince } = (await api.getVms()).find(({ id }) => id === vmId)!;
            return isNear(stateSince! - aheadMs);
          }, { seconds: 25 });
          await api.setTags({ vmId, tags: ["two"] });
          assert.deepEqual((await api.getVm({ vmId })).tags, ["two"]);
        },
      );

      await step(
        "the certificate it makes with such a clock, and a session it opens, are good here",
        async () => {
          await clock.set(offset);
          await near.app.linked.served("far")!.peer.open();
          assert.equal((await api.getVm({ vmId })).host, "far");
          await call(far.server, "rotate_credential", { credentialId: "link-key" });
          await near.app.linked.served("far")!.peer.open();
          assert.equal((await api.getVm({ vmId })).host, "far");
        },
      );
    },
  });
}
