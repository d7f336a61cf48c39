/** Two hosts in one process: the test driver as the local one, this host's QEMU as another; seen through every door. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { entry } from "../../agent/http/entry.ts";
import { listenSocket } from "../../agent/http/server.ts";
import { setLogLevel } from "../../agent/log.ts";
import type { ErrorCode } from "../../lib/contract/mod.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { SOCKET_FILE } from "../../cli/environment.ts";
import "../../fresh.gen.ts";
import { app as pages } from "../../main.ts";
import { appHere } from "../testbed/app_here.ts";
import { CommandLine } from "../testbed/command_line.ts";
import { testMachine } from "../testbed/machine.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;
setLogLevel("error");

const code = (call: Promise<unknown>): Promise<ErrorCode | "ok"> =>
  call.then(() => "ok" as const, (error) => {
    assert.ok(error instanceof ContractError, String(error));
    return error.code;
  });

Deno.test({
  name: "two hosts in one process: each call, event, page and row is of the one it is about",
  ignore,
  fn: async (t) => {
    await using vm = await testMachine({ purpose: "two-hosts", guest: false });
    await using here = await appHere([{ id: "lab", uri: "qemu:///system" }], "test:///default");
    const { app, api } = here;
    await until("the VM is known", () => Promise.resolve(app.hosts.vm(vm.uuid) !== undefined));
    const socket = join(here.dataDir, SOCKET_FILE);
    const answer = entry(app, pages.handler());
    await using _listener = {
      ...await listenSocket(socket, answer),
      [Symbol.asyncDispose]: () => _listener.close(),
    };
    using client = Deno.createHttpClient({ proxy: { transport: "unix", path: socket } });
    const text = async (path: string) => {
      const response = await fetch(`http://localhost${path}`, { client });
      assert.equal(response.status, 200, path);
      return await response.text();
    };
    const json = async (path: string) => JSON.parse(await text(path)) as Record<string, unknown>[];

    await t.step("lists have the VMs of both, or of the one that is named", async () => {
      const hosts = async (host?: string) =>
        new Map((await api.getVms(host === undefined ? {} : { host })).map(({ name, host }) => [name, host]));
      assert.equal((await hosts()).get(vm.name), "lab");
      assert.ok((await hosts()).has("test"));
      assert.ok(!(await hosts("lab")).has("test"));
      assert.ok(!(await hosts("local")).has(vm.name));
      assert.equal(await code(api.getVms({ host: "nowhere" })), "HostNotFound");
    });

    await t.step("a VM tells its host; a batch may name VMs of both", async () => {
      const events: string[] = [];
      using _following = app.hub.follow((together) =>
        void events.push(
          ...together.map(([name, data]) => `${name} ${(data as { vmId?: string }).vmId ?? ""}`),
        )
      );
      await api.startVm({ vmId: vm.uuid });
      assert.equal(await vm.state(), "running");
      assert.ok(events.includes(`vm-state-changed ${vm.uuid}`), events.join());
      const other = (await api.getVms({ host: "local" })).find(({ state }) => state === "running")!;
      const { results } = await api.batchForceStopVms({ vmIds: [vm.uuid, other.id] });
      assert.deepEqual(results.map(({ success }) => success), [true, true]);
      assert.equal(await vm.state(), "shut off");
      const rows = await api.getActivity({ vmId: vm.uuid });
      assert.equal(rows.find(({ action }) => action === "start_vm")?.host, "lab");
    });

    await t.step("what has a name only is looked up where it was asked for", async () => {
      assert.equal((await api.getHostInfo()).hypervisor, "test");
      assert.match((await api.getHostInfo({ host: "lab" })).hypervisor, /^QEMU/);
      const name = `${vm.name}-net`;
      const told: unknown[] = [];
      using _following = app.hub.follow((events) => {
        for (const [event, data] of events) {
          if (event === "network-changed" && data.name === name) told.push(data.host);
        }
      });
      await api.createNetwork({ name, mode: "isolated", host: "lab", start: false });
      try {
        assert.equal(await code(api.getNetwork({ name })), "NetworkNotFound");
        assert.equal((await api.getNetwork({ name, host: "lab" })).name, name);
        // libvirt reports it, a moment after the command's answer
        await until("the event", () => Promise.resolve(told.length > 0));
        assert.ok(told.every((host) => host === "lab"), JSON.stringify(told));
        assert.match(await text("/hosts/lab/networks"), new RegExp(name));
        assert.doesNotMatch(await text("/networks"), new RegExp(name));
      } finally {
        await api.deleteNetwork({ name, host: "lab" });
      }
      const row = (await api.getActivity({ limit: 500 })).find(({ action }) => action === "create_network");
      assert.equal(row?.host, "lab");
    });

    await t.step("REST, the page and the command line show both", async () => {
      const names = async (path: string) => (await json(path)).map(({ name }) => name);
      assert.ok((await names("/api/v1/vms")).includes("test"));
      assert.deepEqual((await names("/api/v1/vms?host=lab")).includes("test"), false);
      assert.ok((await names("/api/v1/vms?host=lab")).includes(vm.name));
      const page = await text("/vms");
      assert.match(page, new RegExp(vm.name));
      assert.match(page, /test · lab|lab</);
      const line = new CommandLine({ KVMM_SOCKET: socket });
      const { status, out, err } = await line.run(["vm", "list", "--host", "lab", "-o", "json"]);
      assert.equal(status, 0, err);
      const shown = (JSON.parse(out) as { name: string }[]).map(({ name }) => name);
      assert.ok(shown.includes(vm.name) && !shown.includes("test"));
    });

    await t.step("verbs are for the host that host use has kept, or KVMM_HOST names", async () => {
      const env = { KVMM_RUNTIME_DIR: here.dataDir, XDG_CONFIG_HOME: `${here.dataDir}/config` };
      const line = new CommandLine(env), names = ["vm", "list", "-o", "name"];
      const said = async (cli: CommandLine, ...args: string[]) => {
        const { status, out, err } = await cli.run(args);
        assert.equal(status, 0, err);
        return out.split("\n");
      };
      assert.ok((await said(line, ...names)).includes("test"), "the lists of all hosts");
      assert.equal((await line.run(["host", "use", "nowhere"])).status, 2);
      await said(line, "host", "use", "lab");
      const onLab = await said(line, ...names);
      assert.ok(onLab.includes(vm.name) && !onLab.includes("test"));
      assert.ok((await said(line, "vm", "list", "-o", "name", "--host", "local")).includes("test"));
      const local = new CommandLine({ ...env, KVMM_HOST: "local" });
      assert.ok((await said(local, ...names)).includes("test"));
      await said(line, "host", "use", "local");
      assert.ok((await said(line, ...names)).includes("test"));
      const elsewhere = await new CommandLine({ ...env, KVMM_SOCKET: socket }).run(["host", "use", "lab"]);
      assert.match(elsewhere.err, /KVMM_HOST/);
    });
  },
});
