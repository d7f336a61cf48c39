/** Insights on real VMs: what is found, for whom, a change that is applied by the form, and taken back. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type Principal, principalOf } from "../../agent/access.ts";
import { entry } from "../../agent/http/entry.ts";
import { listenSocket } from "../../agent/http/server.ts";
import { INSIGHTS_MS } from "../../agent/insights/insights.ts";
import { setLogLevel } from "../../agent/log.ts";
import { SOCKET_FILE } from "../../cli/environment.ts";
import "../../fresh.gen.ts";
import type { Grant } from "../../lib/contract/mod.ts";
import { layerOf } from "../../lib/access/rights.ts";
import { app as pages } from "../../main.ts";
import { appHere } from "../testbed/app_here.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testNetwork } from "../testbed/network.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { run } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";
import { writeDay } from "../testbed/metrics.ts";
import { until } from "../testbed/wait.ts";
import { testFolder } from "../testbed/folder.ts";

const ignore = await requirement("qemu") !== null || await ownLibvirtd("insights") !== null;
setLogLevel("error");

/** Somebody with these grants. */
const somebody = (name: string, grants: Grant[]): Principal =>
  principalOf({ name, door: "api", via: "token", rights: [layerOf(grants, new Map())] });

/** vCPUs and memory (KiB) that a VM starts with next. */
async function defined(name: string): Promise<{ cpus: number; memory: number }> {
  const xml = await virsh("dumpxml", "--inactive", name);
  const [, head, most] = /<vcpu([^>]*)>(\d+)</.exec(xml)!, current = /current='(\d+)'/.exec(head!)?.[1];
  return { cpus: Number(current ?? most), memory: Number(/<memory unit='KiB'>(\d+)</.exec(xml)![1]) };
}

Deno.test({
  name: "insights: a VM without agent and virtio, too large; its change is applied by the form, and undone",
  ignore,
  fn: async (t) => {
    await using network = await testNetwork("insights");
    await using folder = await testFolder();
    await using vm = await testMachine({
      purpose: "insights",
      guest: false,
      agent: false,
      vcpus: 4,
      memoryMiB: 2048,
    });
    await using other = await testMachine({ purpose: "insights-other", guest: false });
    await run(["qemu-img", "create", "-q", "-f", "qcow2", `${folder.path}/slow.qcow2`, "1M"]);
    await virsh(
      ...[
        "attach-disk",
        vm.name,
        `${folder.path}/slow.qcow2`,
        "sda",
        "--targetbus",
        "sata",
        "--config",
      ] as const,
    );
    await virsh(
      ...["attach-interface", vm.name, "network", network.name, "--model", "e1000e", "--config"] as const,
    );
    await using here = await appHere();
    const { app, api } = here, vmId = vm.uuid;
    await until("the VM is known", () => Promise.resolve(app.hosts.vm(vmId)?.disks.length === 1));

    await t.step("without figures its load is not judged, its devices are", async () => {
      const { insights, enough } = await api.analyzeVmPerformance({ vmId, window: "24h" });
      assert.equal(enough, false);
      assert.deepEqual(insights.map(({ id }) => id.split(":")[0]).sort(), [
        "agent_missing",
        "backup_missing",
        "disk_emulated",
        "nic_emulated",
      ]);
      assert.match(insights.find(({ about }) => about === "sda")!.seen, /sda is on the bus SATA/);
    });

    await t.step("an old snapshot is told of", async () => {
      const created = Math.floor(Date.now() / 1000) - 40 * 86_400, file = `${folder.path}/snapshot.xml`;
      const definition = await virsh("dumpxml", other.name);
      await Deno.writeTextFile(
        file,
        `<domainsnapshot><name>before</name><state>shutoff</state><creationTime>${created}</creationTime>${definition}` +
          "</domainsnapshot>",
      );
      await virsh("snapshot-create", other.name, file, "--redefine");
      const { insights } = await api.analyzeVmPerformance({ vmId: other.uuid });
      const { seen, severity } = insights.find(({ id }) => id.startsWith("snapshots_stale"))!;
      assert.deepEqual([seen, severity], ["Old ones: 1, the oldest 40 days: before", "info"]);
      await virsh("snapshot-delete", other.name, "before", "--metadata");
    });

    await writeDay(app.metrics, {
      [vmId]: {
        cpu_usage: 5,
        memory_used: 300 << 20,
        memory_guest_total: 2000 * 2 ** 20,
        memory_guest_usable: 1700 * 2 ** 20,
      },
    });

    await t.step("with them it is too large; a quiet hour alone does not say so", async () => {
      const { insights, enough, coverage } = await api.analyzeVmPerformance({ vmId });
      assert.ok(enough && coverage > 0.95, String(coverage));
      const cpu = insights.find(({ id }) => id.startsWith("cpu_oversized"))!;
      assert.deepEqual(cpu.apply?.input, { vmId, cpu: { count: 1 }, nextBootOnly: true });
      const memory = insights.find(({ id }) => id.startsWith("memory_oversized"))!;
      assert.deepEqual(memory.apply?.input.memory, { currentMb: 512, maxMb: 512 });
      const { insights: short } = await api.analyzeVmPerformance({ vmId, window: "1h" });
      assert.ok(!short.some(({ id }) => id.includes("oversized")));
    });

    await t.step(
      "who sees one VM has the findings of that one; who may not change it is offered nothing",
      async () => {
        const all = await api.analyzeAllVms({});
        assert.ok(all.insights.some((each) => each.vmId === other.uuid) || all.vms >= 2);
        const one = await app.apiFor(somebody("one", [{ role: "operator", on: { kind: "vm", vmId } }]))
          .analyzeAllVms({});
        assert.equal(one.vms, 1);
        assert.ok(one.insights.length >= 5 && one.insights.every((each) => each.vmId === vmId));
        assert.ok(one.insights.some(({ apply }) => apply !== undefined));
        const viewer = app.apiFor(somebody("viewer", [{ role: "viewer", on: { kind: "vm", vmId } }]));
        const seen = await viewer.analyzeAllVms({});
        assert.deepEqual(seen.insights.map(({ id }) => id), one.insights.map(({ id }) => id));
        assert.ok(seen.insights.every(({ apply, undo }) => apply === undefined && undo === undefined));
        await assert.rejects(viewer.analyzeVmPerformance({ vmId: other.uuid }), /VM not found/);
        await assert.rejects(app.apiFor(somebody("none", [])).analyzeAllVms({}));
      },
    );

    await t.step("an answer is kept for minutes, unless a VM is changed", async () => {
      const first = await api.analyzeAllVms({}), again = await api.analyzeAllVms({});
      assert.equal(again.analysedAt, first.analysedAt);
      assert.ok(Date.now() - first.analysedAt < INSIGHTS_MS);
    });

    await t.step(
      "the page offers it, the form applies it to the next start, and undo takes it back",
      async () => {
        const socket = join(here.dataDir, SOCKET_FILE);
        await using _listener = {
          ...await listenSocket(socket, entry(app, pages.handler())),
          [Symbol.asyncDispose]: () => _listener.close(),
        };
        using client = Deno.createHttpClient({ proxy: { transport: "unix", path: socket } });
        const ask = async (path: string, init: RequestInit = {}) => {
          const response = await fetch(`http://localhost${path}`, { ...init, client, redirect: "manual" });
          return {
            status: response.status,
            text: await response.text(),
            at: response.headers.get("location"),
          };
        };
        const post = (path: string) =>
          ask(path, { method: "POST", headers: { origin: "http://localhost" }, body: new URLSearchParams() });
        /** The address of a form of the page, for this VM. */
        const formIn = (text: string, field: string) => {
          const found = [...text.matchAll(/action="(\/do\/update_vm\?[^"]+)"/g)].map(([, to]) =>
            to!.replaceAll("&amp;", "&")
          )
            .find((to) => to.includes(vmId) && to.includes(field));
          assert.ok(found, `no form with ${field}\n${text.slice(0, 4000)}`);
          return found;
        };
        const missing = await ask(`/insights?vm=${vmId}&category=backup`);
        const [, to] = /href="(\/backups\/new\?vm=[^"]+)"/.exec(missing.text)!;
        const form = await ask(to!), box = /<input[^>]*name="targets\.vmIds\.\d+"[^>]*>/g;
        const ticked = form.text.match(box)!.filter((each) => /\schecked/.test(each));
        assert.equal(ticked.length, 1);
        assert.ok(ticked[0]!.includes(vmId), "a backup of this VM is one click away");
        assert.doesNotMatch((await ask("/backups/new?vm=planted")).text, /planted/);
        const page = await ask(`/insights?vm=${vmId}`);
        assert.equal(page.status, 200, page.text.slice(0, 500));
        assert.match(page.text, /More CPU than needed/);
        assert.doesNotMatch(page.text, new RegExp(other.name + "</bdi></a></h3>"));
        assert.deepEqual(await defined(vm.name), { cpus: 4, memory: 2 << 20 });
        const applied = await post(formIn(page.text, "cpu.count=1"));
        assert.equal(applied.status, 303, applied.text.slice(0, 500));
        assert.equal((await defined(vm.name)).cpus, 1);
        const after = await ask(applied.at!);
        assert.doesNotMatch(after.text, /More CPU than needed/, "what was changed is looked at again");
        const undone = await post(formIn(after.text, "cpu.count=4"));
        assert.equal(undone.status, 303);
        assert.equal((await defined(vm.name)).cpus, 4);
        const memory = await post(
          formIn((await ask(`/insights?vm=${vmId}&category=memory`)).text, "memory.maxMb=512"),
        );
        assert.equal((await defined(vm.name)).memory, 512 << 10);
        await post(formIn((await ask(memory.at!)).text, "memory.maxMb=2048"));
        assert.equal((await defined(vm.name)).memory, 2 << 20);
        const rows = await api.getActivity({ limit: 20 });
        assert.equal(
          rows.filter(({ action, vmId: about }) => action === "update_vm" && about === vmId).length,
          4,
        );
        // A link that somebody made up cannot ask for anything but these fields
        const made = await ask(`/insights?undo=update_vm&undo.vmId=${vmId}&undo.title=x&undo.cpu.count=abc`);
        assert.doesNotMatch(made.text, /Undo: back|undo\.title|title=x/);
      },
    );
  },
});
