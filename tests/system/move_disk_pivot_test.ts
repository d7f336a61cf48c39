/**
 * libvirtd killed just while QEMU goes over to the copy of a disk, which is when its definition and QEMU may part: what the
 * VM writes to is there, and so is what its definition names. `KVMM_KILLS=30` sets how many.
 */
import assert from "node:assert/strict";
import { COPY_SCENARIOS } from "../testbed/kill_copies.ts";
import { KillBench } from "../testbed/kill_scenarios.ts";
import { Mirror } from "../testbed/mirror.ts";
import { filesOf, releaseName, testName } from "../testbed/names.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { exists, run } from "../testbed/process.ts";
import { call } from "../testbed/product.ts";
import { removeFiles } from "../testbed/removal.ts";
import { CallError } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const KILLS = Number(Deno.env.get("KVMM_KILLS") ?? 4);
/** Milliseconds after QEMU is told: a change takes about ten. */
const MOST_MS = 12;

/** The images of a folder that a process has open; one that was deleted meanwhile ends with that word. */
async function openIn(pid: number, folder: string): Promise<string[]> {
  const links = await Array.fromAsync(
    Deno.readDir(`/proc/${pid}/fd`),
    ({ name }) =>
      Deno.readLink(`/proc/${pid}/fd/${name}`).catch((error) => {
        if (error instanceof Deno.errors.NotFound) return ""; // closed since
        throw error;
      }),
  );
  return links.filter((path) => path.startsWith(folder) && path.includes(".qcow2"));
}

Deno.test({
  name: `move_disk(): ${KILLS} kills of libvirtd while QEMU goes over to the copy lose nothing`,
  ignore,
  fn: async () => {
    await using undo = new AsyncDisposableStack();
    const own = await testName("pivot");
    undo.defer(() => releaseName(own));
    undo.defer(() => removeFiles(own));
    const folder = filesOf(own), pool = `${folder}/images`, dataDir = `${folder}/data`;
    for (const each of [pool, dataDir]) await Deno.mkdir(each, { recursive: true });
    const host = undo.use(await privateLibvirt("pivot"));
    await run(["qemu-img", "create", "-q", "-f", "qcow2", `${pool}/base.qcow2`, "16M"]);
    await run(["qemu-io", "-f", "qcow2", "-c", "write -q -P 0x5a 0 16M", `${pool}/base.qcow2`]);
    await host.virsh("pool-define-as", "images", "dir", "--target", pool);
    await host.virsh("pool-autostart", "images");
    await host.virsh("pool-start", "images");
    const bench = new KillBench(host, pool, dataDir, undo.use(new Mirror()));
    await bench.start();
    undo.defer(() => bench.server[Symbol.asyncDispose]());
    const scenario = COPY_SCENARIOS.find(({ name }) => name === "move_disk, of a VM that runs")!;
    const ends: string[] = [];
    for (let n = 1; n <= KILLS; n++) {
      const name = `moved-${n}`;
      await scenario.prepare?.(bench, n);
      const vmId = await bench.idFor(scenario, n), libvirtd = (await host.pid())!;
      const qemu = Number(
        new TextDecoder().decode(
          (await new Deno.Command("pgrep", { args: ["-f", `guest=${name},`] }).output()).stdout,
        )
          .trim().split("\n")[0],
      );
      const asked = scenario.run(bench, n, vmId).then(() => "done", (error) => {
        if (error instanceof CallError) return (error.body as { code: string }).code;
        throw error;
      });
      const deadline = performance.now() + 30_000;
      while (!bench.open().some((record) => record.includes('"isPivoting":true'))) {
        assert.ok(performance.now() < deadline, "QEMU was never told to go over");
        await delay(1);
      }
      const afterMs = n * 0.62 % 1 * MOST_MS;
      await delay(afterMs);
      Deno.kill(libvirtd, "SIGKILL");
      await host.kill();
      await host.start();
      const outcome = await asked;
      await until(
        "the connection",
        async () => (await call(bench.server, "get_connection_status")).connected,
        {
          seconds: 60,
        },
      );
      let isLost = false;
      const isSettled = async () => {
        // libvirt, killed just then, may take the VM for off that runs (docs/snapshots.md): the process is ended.
        const isOff = await host.virsh("domstate", name) === "shut off";
        if (!isLost && isOff && await exists(`/proc/${qemu}`)) {
          isLost = true;
          Deno.kill(qemu, "SIGTERM");
        }
        return bench.open().length === 0;
      };
      await until("the move to be settled", isSettled, {
        seconds: 90,
        lastSeen: () => bench.open().join("\n"),
      });
      const paths = await exists(`/proc/${qemu}`) ? await openIn(qemu, folder) : [];
      const xml = await host.virsh("dumpxml", name);
      const named = /<source file='([^']+)'/.exec(xml)?.[1] ?? "";
      const there = await Array.fromAsync(
        [`${pool}/${name}.qcow2`, `${folder}/other-${n}/${name}.qcow2`],
        exists,
      );
      const end =
        `${outcome}, state ${await host.virsh("domstate", name)}, named ${named.slice(folder.length)}, ` +
        `QEMU has ${paths.map((path) => path.slice(folder.length)).join(" ")}, new ${there[0]}, old ${
          there[1]
        }`;
      ends.push(`${Math.round(afterMs)} ms: ${end}`);
      console.log(ends.at(-1));
      assert.ok(await exists(named), end);
      assert.ok(!paths.some((path) => path.endsWith("(deleted)")), end);
      if (await host.virsh("domstate", name) === "running") {
        const info = await host.virsh("qemu-monitor-command", name, "--hmp", "info block");
        const written = /: (\/\S+) \(qcow2\)/.exec(info)?.[1];
        const next = /<source file='([^']+)'/.exec(await host.virsh("dumpxml", "--inactive", name))?.[1];
        assert.equal(next, written, `its next start is not with what it writes to: ${end}`);
        await host.virsh("destroy", name);
      }
      await scenario.clear(bench, n);
      if (await exists(`${pool}/${name}.qcow2`)) await Deno.remove(`${pool}/${name}.qcow2`);
    }
  },
});
