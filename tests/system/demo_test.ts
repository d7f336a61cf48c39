/** The demo and libvirt's test driver: whoever comes may do everything there, so nothing there may reach the host. */
import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { type Command, COMMANDS } from "../../lib/contract/mod.ts";
import { PROJECT, walk } from "../../scripts/project.ts";
import { testFolder } from "../testbed/folder.ts";
import { run } from "../testbed/process.ts";
import { buildBinary } from "../testbed/product_binary.ts";
import { demoVms, type DemoVmShown } from "../testbed/demo_pages.ts";
import { CallError, startServer, type TestServer } from "../testbed/server.ts";
import { until } from "../testbed/wait.ts";

const isRoot = Deno.uid() === 0;

const vmXml = (name: string, disk: string) =>
  `<domain type='test'><name>${name}</name><memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os>` +
  `<devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${disk}'/>` +
  `<target dev='vda' bus='virtio'/></disk></devices></domain>`;

/** Calls a command that may be refused. */
async function attempt(server: TestServer, command: string, input: unknown): Promise<void> {
  try {
    await server.call(command, input);
  } catch (error) {
    if (!(error instanceof CallError) || error.status === 500) throw error;
  }
}

/** Everything that takes a path, with the path of a real file. */
async function attackFile(server: TestServer, path: string, folder: string): Promise<void> {
  const { vmId } = await server.call("import_vm", { xml: vmXml("victim", path), allowMissing: true }) as {
    vmId: string;
  };
  await attempt(server, "clone_vm", { vmId, name: "victim-copy" });
  await attempt(server, "resize_disk", { vmId, target: "vda", sizeGb: 1 });
  await attempt(server, "attach_disk", { vmId, path, format: "raw" });
  await attempt(server, "insert_media", { vmId, path });
  await attempt(server, "check_vm_config", {
    name: "other",
    isoPath: path,
    disks: [{ path, format: "qcow2" }],
  });
  await attempt(server, "create_storage_pool", { name: "attack", type: "dir", path: folder, build: true });
  await attempt(server, "delete_volume", { pool: "attack", name: path.slice(folder.length + 1) });
  const plan = await server.call("get_delete_plan", { vmId }) as { disks: { deletable: boolean }[] };
  assert.deepEqual(plan.disks.map(({ deletable }) => deletable), [false]);
  await attempt(server, "delete_vm", { vmId, disks: [path] });
  await attempt(server, "delete_vm", { vmId, deleteDisks: true });
}

/** The user of every thread, and what it may do as root: proc(5). */
async function threads(pid: number): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    const status = await Deno.readTextFile(`/proc/${pid}/task/${name}/status`);
    const line = (key: string) =>
      new RegExp(`^${key}:[ \\t]*(.*?)[ \\t]*$`, "m").exec(status)?.[1]?.split(/\s+/).join(" ");
    found.add(`${line("Uid")} | ${line("Gid")} | ${line("Groups")} | ${line("CapEff")} ${line("CapPrm")}`);
  }
  return found;
}

for (const options of [{ demo: true }, { uri: "test:///default" }]) {
  Deno.test(`isLocal() takes no path of the test driver for a file (${JSON.stringify(options)})`, async () => {
    await using folder = await testFolder();
    // Everybody may write there: the kernel would let the server do anything
    await Deno.chmod(folder.path, 0o777);
    const path = `${folder.path}/precious.qcow2`;
    await run(["qemu-img", "create", "-q", "-f", "qcow2", path, "10M"]);
    await Deno.chmod(path, 0o666);
    const before = await Deno.readFile(path);
    await using server = await startServer(options);
    await attackFile(server, path, folder.path);
    assert.deepEqual(await Deno.readFile(path), before);
    assert.deepEqual((await Array.fromAsync(Deno.readDir(folder.path))).map(({ name }) => name), [
      "precious.qcow2",
    ]);
  });
}

Deno.test({
  name: "enterDemo() gives up root in every thread, serves pages, and leaves no folder behind",
  ignore: !isRoot,
  fn: async () => {
    let home: string;
    {
      await using server = await startServer({ demo: true });
      home = server.socket.replace(/\/run\/api\.sock$/, "");
      await server.call("get_vms");
      const page = await fetch(server.url);
      assert.match(await page.text(), /<html/);
      assert.equal(page.status, 200);
      const { uid, mode } = await Deno.stat(home);
      assert.deepEqual([uid, mode! & 0o777], [65534, 0o700]);
      const none = "0".repeat(16);
      assert.deepEqual([...await threads(server.pid)], [
        `${"65534 ".repeat(4).trim()} | ${"65534 ".repeat(4).trim()} |  | ${none} ${none}`,
      ]);
    }
    await assert.rejects(Deno.stat(home), Deno.errors.NotFound);
  },
});

Deno.test({
  name: "enterDemo() refuses a named folder that it cannot write to, and says what to do",
  ignore: !isRoot,
  fn: async () => {
    await using folder = await testFolder();
    const { code, stderr } = await new Deno.Command(await buildBinary(), {
      args: ["serve", "--demo", "--listen", "127.0.0.1:0", "--data-dir", folder.path],
    }).output();
    assert.equal(code, 2);
    assert.match(
      new TextDecoder().decode(stderr),
      /--data-dir: the demo cannot write into .*Leave --data-dir out/,
    );
  },
});

Deno.test("every page of the demo opens", async () => {
  await using server = await startServer({ demo: true });
  const [vm] = await server.call("get_vms", {}) as { id: string }[];
  const of: Readonly<Record<string, string>> = {
    "[id]": vm!.id,
    "networks/[name]": "networks/lab",
    "storage/[pool]": "storage/images",
  };
  const pages = (await walk(join(PROJECT, "routes"))).map(({ path }) =>
    relative(join(PROJECT, "routes"), path)
  )
    .filter((path) => path.endsWith(".tsx") && !/(^|\/)[_(]/.test(path))
    .map((path) => path.replace(/\.tsx$/, "").replace(/(^|\/)index$/, ""))
    .map((path) => Object.entries(of).reduce((at, [part, value]) => at.replace(part, value), path))
    .filter((path) => !path.includes("["));
  const failed: string[] = [];
  for (
    const path of [
      ...pages,
      ...["dir", "netfs", "iscsi"].map((type) => `storage?do=create&type=${type}`),
    ]
  ) {
    const response = await fetch(`${server.url}/${path}`, { headers: { accept: "text/html" } });
    await response.body?.cancel();
    if (response.status >= 500) failed.push(`${response.status} /${path}`);
  }
  assert.ok(pages.length > 30, String(pages.length));
  assert.deepEqual(failed, []);
});

/** Lists that are empty in a demo, and why that is right. */
const EMPTY: Readonly<Record<string, string>> = {
  get_placement_advice: "no VM had better be elsewhere",
  list_backup_targets: "the demo's copies are in a folder of its own",
  list_hangs: "everything responds",
  list_mcp_sessions: "MCP is off",
  list_passkeys: "the visitor has no account",
  list_peers: "no KVM Manager is linked",
  list_port_forwards: "no port of a real machine is forwarded",
  list_replicas: "no KVM Manager is linked",
  list_replications: "no KVM Manager is linked",
  list_profiles: "no automation is set up",
  list_tools: "no automation is set up",
};

/** Commands that list something and need to be told nothing. */
const LISTS = (Object.entries(COMMANDS) as [string, Command][]).filter(([, { readOnly, input, output }]) => {
  const { required = [] } = input as { readonly required?: readonly string[] };
  return readOnly && required.length === 0 && (output as { readonly type?: string }).type === "array";
}).map(([name]) => name);

Deno.test("every command of the demo that lists something has content", async () => {
  await using server = await startServer({ demo: true });
  assert.ok(LISTS.length > 30, String(LISTS.length));
  const empty: string[] = [];
  for (const name of LISTS) {
    if (name in EMPTY) continue;
    const found = await server.call(name) as unknown[];
    if (found.length === 0) empty.push(name);
  }
  assert.deepEqual(empty, []);
  for (const name of Object.keys(EMPTY)) assert.ok(LISTS.includes(name), `${name} is no list any more`);
});

Deno.test("the demo shows twenty VMs on three hosts with a month of figures, and its VMs can be worked with", async () => {
  await using server = await startServer({ demo: true });
  const vms = await demoVms(server);
  assert.deepEqual([...new Set(vms.map(({ virtType }) => virtType))], ["kvm"]);
  const vm = (name: string) => vms.find((each) => each.name === name)!.id;
  const stateOf = async (name: string) =>
    (await server.call("get_vm", { vmId: vm(name) }) as DemoVmShown).state;

  const month = await server.call("get_historical_metrics", {
    vmId: vm("web-01"),
    window: "30d",
    series: ["cpu_usage"],
  }) as { readonly series: readonly { readonly avg: readonly (number | null)[] }[] };
  const known = month.series[0]!.avg.filter((value) => value !== null);
  assert.ok(known.length > 650, `${known.length} hours of a month are known`);
  assert.ok(new Set(known).size > 300, "the figures move");

  await server.call("start_vm", { vmId: vm("erp-old") });
  assert.equal(await stateOf("erp-old"), "running");
  await server.call("pause_vm", { vmId: vm("web-02") });
  assert.equal(await stateOf("web-02"), "paused");
  await server.call("resume_vm", { vmId: vm("web-02") });
  await server.call("force_stop_vm", { vmId: vm("web-02") });
  assert.equal(await stateOf("web-02"), "stopped");
  await server.call("create_snapshot", { vmId: vm("staging-web"), name: "mine" });
  const { snapshots } = await server.call("list_snapshots", { vmId: vm("staging-web") }) as {
    snapshots: readonly { readonly name: string }[];
  };
  assert.ok(snapshots.some(({ name }) => name === "mine"));
  const { id } = await server.call("create_vm", {
    name: "of-the-visitor",
    cpuCount: 2,
    memoryMb: 2048,
    diskSizeGb: 10,
    start: true,
  }) as { readonly id: string };
  const loads =
    async () => (await server.call("get_vm_stats", { vmId: id }) as { cpuUsagePercent: number | null });
  await until("the load of a new VM", async () => ((await loads()).cpuUsagePercent ?? 0) > 0, {
    seconds: 30,
  });
  await server.call("force_stop_vm", { vmId: id });
  await server.call("delete_vm", { vmId: id, deleteDisks: true });
});

Deno.test("the demo connects to nothing outside: no other libvirt, no other host, no address", async () => {
  await using server = await startServer({ demo: true });
  let asked = 0;
  await using outside = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    asked++;
    return new Response("reached");
  });
  const url = `http://127.0.0.1:${outside.addr.port}/hook`;
  const refused = async (command: string, input: unknown) =>
    await assert.rejects(server.call(command, input), /connects to nothing outside/, command);
  await refused("test_host", { uri: "qemu:///system" });
  await refused("test_host", { uri: "qemu+ssh://root@127.0.0.1/system" });
  await refused("create_alert_target", {
    name: "hook",
    channel: "webhook",
    url,
    minSeverity: "info",
    privateAddresses: true,
  });
  const [target] = await server.call("list_alert_targets") as { readonly id: string }[];
  await refused("test_alert_target", { targetId: target!.id });
  assert.equal(asked, 0);
});

Deno.test("two demos run at the same time, and one that is killed leaves nothing running", async () => {
  await using first = await startServer({ demo: true });
  let pid: number;
  {
    await using second = await startServer({ demo: true });
    pid = second.pid;
    const [a, b] = await Promise.all(
      [first, second].map(async (server) => (await demoVms(server)).map(({ id }) => id)),
    );
    assert.deepEqual(a, b, "a demo is the same company at every start");
    await second.call("force_stop_vm", { vmId: b![0] });
  }
  await assert.rejects(Deno.stat(`/proc/${pid}`), Deno.errors.NotFound);
  const states = (await first.call("get_vms") as DemoVmShown[]).filter(({ state }) => state === "stopped");
  assert.deepEqual(
    states.map(({ name }) => name),
    ["erp-old"],
    "what is done in one is not done in the other",
  );
});

Deno.test("the demo tells nothing that is not so: no change waits, nothing is gone, and what it lacks it names", async () => {
  await using server = await startServer({ demo: true });
  const vms = await demoVms(server);
  const vm = (name: string) => vms.find((each) => each.name === name)!.id;
  for (const { id, name } of vms) {
    assert.deepEqual(await server.call("get_pending_changes", { vmId: id }), [], name);
  }
  const bin = await server.call("list_bin") as { readonly missing: readonly string[] }[];
  assert.deepEqual(bin.map(({ missing }) => missing), [[], []]);
  await assert.rejects(
    server.call("attach_nic", { vmId: vm("erp-old"), network: "lab" }),
    /this is a demo, which has no QEMU/,
  );
  const jobs = await server.call("list_backups") as { readonly id: string; readonly name: string }[];
  const { id: backupId } = jobs.find(({ name }) => name === "Office, weekly")!;
  interface Run {
    readonly startedAt: number;
    readonly state: string;
    readonly copies: readonly { readonly name: string; readonly message: string | null }[];
  }
  const runs = async () => await server.call("list_backup_runs", { backupId }) as Run[];
  // It runs on Saturdays
  assert.deepEqual(
    new Set((await runs()).map(({ startedAt }) => new Date(startedAt).getDay())),
    new Set([6]),
  );
  await server.call("run_backup_now", { backupId }).catch(() => {});
  const copies = await until("the run is over", async () => {
    const [last] = await runs();
    return last?.state === "failed" && last.copies;
  });
  const { message } = copies.find(({ name }) => name === "mail-01")!;
  assert.match(message ?? "", /KVM Manager has no access to the files of its host/);
});
