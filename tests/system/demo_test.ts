/** The demo and libvirt's test driver: whoever comes may do everything there, so nothing there may reach the host. */
import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { PROJECT, walk } from "../../scripts/project.ts";
import { testFolder } from "../testbed/folder.ts";
import { run } from "../testbed/process.ts";
import { buildBinary } from "../testbed/product_binary.ts";
import { CallError, startServer, type TestServer } from "../testbed/server.ts";

const isRoot = Deno.uid() === 0;

const vmXml = (name: string, disk: string) =>
  `<domain type='test'><name>${name}</name><memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os>` +
  `<devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${disk}'/>` +
  `<target dev='vda' bus='virtio'/></disk></devices></domain>`;

/** What the server says to a command that may well be refused. */
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

Deno.test("every page of the demo opens: what the test driver lacks is left out, or said on the page", async () => {
  await using server = await startServer({ demo: true });
  const [vm] = await server.call("get_vms", {}) as { id: string }[];
  const of: Readonly<Record<string, string>> = {
    "[id]": vm!.id,
    "networks/[name]": "networks/default",
    "storage/[pool]": "storage/default-pool",
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
