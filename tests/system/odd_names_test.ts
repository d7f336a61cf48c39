/** Files that other programs put into a pool: each is the one that its name says, byte for byte. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { CallError, startServer, type TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { CommandLine } from "../testbed/command_line.ts";
import { BINARY_ENV, buildBinary } from "../testbed/product_binary.ts";

const ignore = await requirement("qemu") !== null;

const NAMES = [
  "twin",
  "twin ",
  " lead",
  "nbsp\u00a0",
  "wide\u3000",
  "bom\ufeff",
  "\ufeffbom",
  "tab\tx ",
  "a%20b",
  "a&amp;b",
  "e\u0301",
  "\u00e9",
];

interface Listed {
  readonly name: string;
  readonly path: string;
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

async function codeOf(asking: Promise<unknown>): Promise<string> {
  try {
    await asking;
    return "ok";
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    return (error.body as { code: string }).code;
  }
}

const listed = async (server: TestServer, pool: string) => {
  await server.call("refresh_storage_pool", { pool });
  return await server.call("get_volumes", { pool }) as Listed[];
};

Deno.test({
  name: "delete_volume() deletes the volume of exactly that name, whatever its blanks",
  ignore,
  fn: async () => {
    await using pool = await testPool("odd-names");
    for (const [index, name] of NAMES.entries()) {
      await Deno.writeTextFile(`${pool.path}/${name}`, "x".repeat(512 * (index + 1)));
    }
    await virsh("pool-refresh", pool.name);
    await using server = await startServer();
    const volumes = await listed(server, pool.name);
    assert.deepEqual(volumes.map(({ name }) => name).sort(), [...NAMES].sort());
    for (const { name, path } of volumes) assert.equal(path, `${pool.path}/${name}`);
    // By command, and by the address of the REST API: what goes is what was named, and nothing else.
    for (const [index, name] of [...NAMES.slice(1), "twin"].entries()) {
      const before = await namesIn(pool.path);
      if (index % 2 === 0) await server.call("delete_volume", { pool: pool.name, volume: name });
      else {
        const url = `${server.url}/api/v1/storage/pools/${pool.name}/volumes/${encodeURIComponent(name)}`;
        const response = await fetch(url, { method: "DELETE" });
        assert.equal(response.ok, true, await response.text());
      }
      assert.deepEqual(
        await namesIn(pool.path),
        before.filter((each) => each !== name),
        JSON.stringify(name),
      );
    }
  },
});

Deno.test({
  name: "names that are no UTF-8 are told apart, and each is the one file",
  ignore,
  fn: async () => {
    await using pool = await testPool("odd-bytes");
    // Of a byte each, in octal, as printf(1) and ls(1) write it. The last is named by the text that `bad\377` has.
    const files = {
      "bad\ufffdff": "bad\\377",
      "bad\ufffdfe": "bad\\376",
      "bad\ufffdfd": "bad\\375",
      "cut\ufffde2\ufffd82": "cut\\342\\202",
      "bad\ufffdef\ufffdbf\ufffdbdff": "bad\\357\\277\\275ff",
      "none\ufffdef\ufffdbf\ufffdbe": "none\\357\\277\\276",
      good: "good",
    };
    const shell = async (script: string, cwd = pool.path) => {
      const { success, stdout } = await new Deno.Command("sh", { args: ["-ec", script], cwd }).output();
      assert.ok(success, script);
      return new TextDecoder("latin1").decode(stdout).split("\n").filter((line) => line !== "").sort();
    };
    // Names as ls(1) escapes them, in the bytes' own order.
    const onDisk = async () => (await shell("LC_ALL=C ls -b")).sort();
    for (const octal of Object.values(files)) {
      await shell(`printf '%512s' '${octal}' > "$(printf '${octal}')"`);
    }
    await virsh("pool-refresh", pool.name);
    await using server = await startServer();
    const at = (name: string) =>
      `${server.url}/api/v1/storage/pools/${pool.name}/volumes/${encodeURIComponent(name)}`;
    const volumes = await listed(server, pool.name);
    assert.deepEqual(volumes.map(({ name }) => name).sort(), Object.keys(files).sort());
    for (const { name, path } of volumes) assert.equal(path, `${pool.path}/${name}`);

    for (const [name, octal] of Object.entries(files)) {
      const download = await fetch(`${at(name)}/content`);
      assert.equal(download.status, 200, name);
      assert.equal((await download.text()).trim(), octal);
    }
    await server.call("clone_volume", { pool: pool.name, volume: "bad\ufffdfe", name: "copy" });
    assert.equal((await Deno.readTextFile(`${pool.path}/copy`)).trim(), "bad\\376");
    await server.call("resize_volume", { pool: pool.name, volume: "bad\ufffdfd", capacityBytes: 4096 });
    const sizes = await shell(`stat -c %s "$(printf 'bad\\375')" "$(printf 'bad\\376')"`);
    assert.deepEqual(sizes, ["4096", "512"]);

    const was = await onDisk();
    const rest = (...gone: string[]) => was.filter((name) => !gone.includes(name));
    const response = await fetch(at("bad\ufffdff"), { method: "DELETE" });
    assert.equal(response.ok, true, await response.text());
    assert.deepEqual(await onDisk(), rest("bad\\377"));
    const again = await fetch(at("bad\ufffdff"), { method: "DELETE" });
    assert.equal(again.status, 404, await again.text());
    // A second spelling is none, and new names are text.
    for (const name of ["g\ufffd6fod", "\ufffdc3\ufffda9"]) {
      const code = await codeOf(server.call("delete_volume", { pool: pool.name, volume: name }));
      assert.match(code, /^(VolumeNotFound|InvalidInput)$/);
    }
    const made = { pool: pool.name, name: "new\ufffdff", capacityBytes: 4096, format: "raw" };
    assert.equal(await codeOf(server.call("create_volume", made)), "InvalidInput");
    assert.deepEqual(await onDisk(), rest("bad\\377"));

    // The command line takes the text of the list; of a name's bytes it would see too little.
    const cli = new CommandLine({ KVMM_SOCKET: server.socket });
    const list = await cli.run(["volume", "list", pool.name, "-o", "json"]);
    assert.equal(list.status, 0, list.err);
    const names = (JSON.parse(list.out) as Listed[]).map(({ name }) => name);
    assert.ok(names.includes("bad\ufffdfe") && names.includes("bad\ufffdfd"), list.out);
    const deleted = await cli.run(["volume", "delete", pool.name, "bad\ufffdfe", "--yes"]);
    assert.equal(deleted.status, 0, deleted.err);
    assert.deepEqual(await onDisk(), rest("bad\\377", "bad\\376"));
    await Deno.writeTextFile(`${pool.path}/bad\ufffd`, "another");
    await virsh("pool-refresh", pool.name);
    const raw = await new Deno.Command("sh", {
      args: [
        "-c",
        `exec "$0" volume delete "$1" "$(printf 'bad\\375')" --yes`,
        await buildBinary(),
        pool.name,
      ],
      env: { ...BINARY_ENV, KVMM_SOCKET: server.socket! },
    }).output();
    assert.equal(raw.code, 2, new TextDecoder().decode(raw.stderr));
    assert.equal(await Deno.readTextFile(`${pool.path}/bad\ufffd`), "another");
    const spelled = "bad\ufffdef\ufffdbf\ufffdbd";
    const other = await cli.run(["volume", "delete", pool.name, spelled, "--yes"]);
    assert.equal(other.status, 0, other.err);
    assert.deepEqual(await onDisk(), rest("bad\\377", "bad\\376"));
  },
});

Deno.test({
  name: "a volume whose name is no UTF-8 is refused for a VM: libvirt's XML cannot name it",
  ignore,
  fn: async () => {
    await using pool = await testPool("odd-disk");
    const shell = new Deno.Command("sh", {
      args: [
        "-ec",
        String
          .raw`truncate -s 1M "$(printf 'bad\377')" "$(printf 'bad\357\277\275ff')" "$(printf 'bad\357\277\275x')"`,
      ],
      cwd: pool.path,
    });
    assert.ok((await shell.output()).success);
    await virsh("pool-refresh", pool.name);
    await using vm = await testMachine({ purpose: "odd-disk", guest: false });
    await using server = await startServer();
    const attach = (name: string) =>
      server.call("attach_disk", { vmId: vm.uuid, path: `${pool.name}/${name}`, format: "raw" });
    await assert.rejects(attach("bad\ufffdff"), (error) => {
      assert.ok(error instanceof CallError);
      assert.equal((error.body as { code: string }).code, "DiskRefused");
      assert.match(JSON.stringify(error.body), /is no UTF-8/);
      return true;
    });
    // The file that is really named so is another one, and is what is attached.
    for (const name of ["bad\ufffdef\ufffdbf\ufffdbdff", "bad\ufffdx"]) await attach(name);
    const { disks } = await server.call("get_vm", { vmId: vm.uuid }) as { disks: { source?: string }[] };
    const sources = disks.map(({ source }) => source);
    for (const name of ["bad\ufffdef\ufffdbf\ufffdbdff", "bad\ufffdx"]) {
      assert.ok(sources.includes(`${pool.path}/${name}`), JSON.stringify(sources));
    }
    assert.match(await virsh("dumpxml", vm.name), /bad\ufffdff/);
    // A title is text; what would be a byte of it is refused, and nothing breaks.
    const titled = (title: string) => codeOf(server.call("update_vm", { vmId: vm.uuid, title }));
    assert.notEqual(await titled("t\ufffdff"), "ok");
    assert.equal(await titled("t\ufffdx é"), "ok");
  },
});

Deno.test({
  name: "create_volume() refuses blanks at the ends, and what no text can hold is refused, not dropped",
  ignore,
  fn: async () => {
    await using pool = await testPool("odd-new");
    await using server = await startServer();
    const create = (name: string) =>
      codeOf(
        server.call("create_volume", { pool: pool.name, name, capacityBytes: 1024 * 1024, format: "raw" }),
      );
    for (
      const name of ["a ", " a", "a\u00a0", "\u3000a", "a\ufeff", "a\ud800", "a\udc00b", "a\ufffe", "a\uffff"]
    ) {
      assert.equal(await create(name), "InvalidInput", JSON.stringify(name));
    }
    assert.equal(await create("a b"), "ok");
    assert.deepEqual(await namesIn(pool.path), ["a b"]);
    const odd = { xml: "x", name: "vm" };
    for (const text of ["\ud800", "\ufffe"]) {
      const answer = codeOf(server.call("import_vm", { ...odd, xml: `<domain>${text}</domain>` }));
      assert.match(await answer, /^(InvalidInput|XmlInvalid)$/);
    }
  },
});
