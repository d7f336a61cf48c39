/** Our agent in a guest that is migrated live between two hosts, in the middle of what it was asked. */
import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/mod.ts";
import { buildAgentGuest } from "../testbed/agent_guest.ts";
import { appHere } from "../testbed/app_here.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

/** Milliseconds after which a call that the migration cut short was held up by nothing but a time limit. */
const SOON_MS = 15_000;

Deno.test({
  name: "a guest that is migrated live: what was under way ends, and our agent answers on the other side",
  ignore: await requirement("agentGuest") !== null,
  fn: async (t) => {
    await using first = await privateLibvirt("migrate-a");
    await using second = await privateLibvirt("migrate-b");
    const vm = await first.machine({
      guest: await buildAgentGuest(),
      ownAgent: true,
      start: true,
      memoryMiB: 128,
    });
    const vmId = vm.uuid;
    await using here = await appHere([{ id: "other", uri: second.uri }], first.uri);
    const { api } = here;
    const stateOn = async (host: string) => (await api.getVms({ host })).find(({ id }) => id === vmId)?.state;
    const sh = async (script: string) =>
      (await api.guestExec({ vmId, command: "sh", args: ["-c", script] })).stdout;
    const connected = () =>
      until("our agent", async () => (await api.guestAgentStatus({ vmId })).connected, { seconds: 240 });
    await connected();
    await sh("echo kept > /tmp/before");
    const agent = (await sh("pidof kvm-manager-agent")).trim();
    assert.match(agent, /^\d+$/);

    for (const [from, to, id] of [[first, second, "other"], [second, first, "local"]] as const) {
      await t.step(`to ${id}`, async () => {
        const asked = api.guestExec({ vmId, command: "sleep", args: ["590"], seconds: 600 })
          .then(() => null, (error) => error);
        await until(
          "the command to run",
          async () => /sleep 590/.test(await sh("ps | grep '[s]leep 590'")),
        );
        await from.migrate(vm.name, to);
        const moved = performance.now();
        await until(`it to run on ${id}`, async () => await stateOn(id) === "running");
        const failure = await asked;
        assert.ok(failure instanceof ContractError, String(failure));
        assert.match(failure.code, /^Guest/);
        assert.ok(performance.now() - moved < SOON_MS, `${performance.now() - moved} ms`);
        await connected();
        // The same agent, which went on, and nothing of what the host before it had begun
        assert.equal(
          await sh("pidof kvm-manager-agent; cat /tmp/before; ps | grep '[s]leep 590'"),
          `${agent}\nkept\n`,
        );
        assert.equal((await api.getVm({ vmId })).state, "running");
      });
    }
  },
});
