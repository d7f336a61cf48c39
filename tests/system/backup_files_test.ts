/** Single files out of backups: looked at and downloaded without restoring, with names that mean harm. */
import assert from "node:assert/strict";
import { backupFolder, done, runOf, withoutGuestfs } from "../testbed/backups.ts";
import { testFolder } from "../testbed/folder.ts";
import { testMachine } from "../testbed/machine.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import { run } from "../testbed/process.ts";
import { testerHeaders } from "../testbed/sign_in.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const reason = await requirement("qemu") ?? await withoutGuestfs();
if (reason !== null) console.error(`SKIP backup files: ${reason}`);

/** A name that would end the command, begin another one and look like an answer, and whose last byte is no UTF-8. */
const HOSTILE = new Uint8Array([
  ...new TextEncoder().encode('a"b\n!touch kvmm-owned\n\\x41 $(id) '),
  0xff,
]);

/** The processes that have a folder in their arguments or their environment, as all that libguestfs starts have its own. */
async function processesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name: pid } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const texts = await Promise.all(
      ["cmdline", "environ"].map((each) => Deno.readTextFile(`/proc/${pid}/${each}`).catch(() => "")), // it has ended
    );
    if (texts.some((text) => text.includes(folder))) found.push(texts[0]!.replaceAll("\0", " "));
  }
  return found;
}

Deno.test({
  name: "files of a copy are listed and downloaded, whatever they are called, and nothing is left",
  ignore: reason !== null,
  fn: async (t) => {
    await using folder = await backupFolder();
    await using vm = await testMachine({
      purpose: "files",
      guest: false,
      disks: [{ format: "raw", size: "48M" }],
    });
    const root = await Deno.makeTempDir();
    try {
      await Deno.mkdir(`${root}/etc`);
      await Deno.writeTextFile(`${root}/etc/hostname`, "web1\n");
      await Deno.symlink("/etc/hostname", `${root}/link`);
      await Deno.writeFile(`${root}/big`, crypto.getRandomValues(new Uint8Array(65_536)));
      for (let n = 1; n < 40; n++) {
        await Deno.writeFile(`${root}/big`, crypto.getRandomValues(new Uint8Array(65_536)), { append: true });
      }
      // Deno's own calls take UTF-8 alone.
      const escaped = [...HOSTILE].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
      await run(["bash", "-c", `printf evil > "$1/"$'${escaped}'`, "bash", root]);
      await run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", root, vm.disks[0]!, "48M"]);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
    await using data = await testFolder();
    await using server = await readyServer({ dataDir: data.path });
    await known(server, vm.uuid);
    const { id: backupId } = await call(server, "create_backup", {
      name: "files",
      folder: folder.path,
      targets: { vmIds: [vm.uuid] },
    });
    const made = await runOf(server, backupId);
    done(made);
    const of = { backupId, runId: made.id, vmId: vm.uuid };
    const content = async (filesystem: string, path: string) => {
      const at = `${server.url}/api/v1/backups/${backupId}/runs/${made.id}/vms/${vm.uuid}/files/content`;
      return await fetch(`${at}?${new URLSearchParams({ filesystem, path })}`, {
        headers: testerHeaders(server.url),
      });
    };
    let device = "";
    await t.step("the file systems in it", async () => {
      const { filesystems, files } = await call(server, "list_backup_files", of);
      assert.deepEqual([filesystems.map(({ type }) => type), files], [["ext4"], []]);
      device = filesystems[0]!.device;
    });
    let hostile = "";
    await t.step("its folders, with a name that would be a command", async () => {
      const { files, truncated } = await call(server, "list_backup_files", {
        ...of,
        filesystem: device,
        path: "/",
      });
      assert.equal(truncated, false);
      const kinds = Object.fromEntries(files.map(({ name, kind }) => [name, kind]));
      assert.deepEqual([kinds.etc, kinds.link, kinds.big, kinds["lost+found"]], [
        "folder",
        "link",
        "file",
        "folder",
      ]);
      assert.equal(files.find(({ name }) => name === "big")!.size, 40 * 65_536);
      hostile = files.find(({ name }) => name.startsWith("a"))!.name;
      assert.match(hostile, /^a"b\n!touch .*\ufffdff$/s);
      assert.equal(await run(["find", "/tmp", "-ignore_readdir_race", "-name", "kvmm-owned"]), "");
      const { files: etc } = await call(server, "list_backup_files", {
        ...of,
        filesystem: device,
        path: "/etc",
      });
      assert.deepEqual(etc.map(({ name, size }) => [name, size]), [["hostname", 5]]);
    });
    await t.step("a file, also the one of that name", async () => {
      const response = await content(device, "/etc/hostname");
      assert.match(response.headers.get("content-disposition")!, /hostname/);
      assert.equal(await response.text(), "web1\n");
      assert.equal(await (await content(device, `/${hostile}`)).text(), "evil");
      assert.equal((await (await content(device, "/big")).arrayBuffer()).byteLength, 40 * 65_536);
    });
    await t.step("a folder comes as a tar archive", async () => {
      const response = await content(device, "/etc");
      assert.match(response.headers.get("content-disposition")!, /etc\.tar/);
      const archive = await Deno.makeTempFile();
      try {
        await Deno.writeFile(archive, new Uint8Array(await response.arrayBuffer()));
        assert.match(await run(["tar", "-xOf", archive, "./hostname"]), /^web1/);
      } finally {
        await Deno.remove(archive);
      }
    });
    await t.step("what is not there, and what is no place in it, is refused", async () => {
      const list = (more: object) => call(server, "list_backup_files", { ...of, ...more });
      await refused(list({ filesystem: device, path: "/no/such" }), "BackupFilesFailed");
      await refused(list({ filesystem: "/dev/sdz9", path: "/" }), "BackupFilesFailed", /no file system/);
      await refused(list({ filesystem: "/dev/sda; !id", path: "/" }), "InvalidInput");
      const gone = await content(device, "/no/such");
      assert.equal(gone.status, 502);
      await gone.body?.cancel();
      // What is followed stays in the copy.
      assert.equal((await content(device, "/../../etc/hostname")).status, 200);
    });
    await t.step("who goes away in the middle ends it; the next question opens it again", async () => {
      const response = await content(device, "/big");
      await response.body!.cancel();
      const { files } = await call(server, "list_backup_files", { ...of, filesystem: device, path: "/etc" });
      assert.equal(files.length, 1);
    });
    await t.step("many who ask at once, behind one who leaves, all have their answer", async () => {
      const ask = () => call(server, "list_backup_files", { ...of, filesystem: device, path: "/etc" });
      const response = await content(device, "/big");
      const asked = [ask(), ask(), ask()];
      await response.body!.cancel();
      for (const { files } of await Promise.all([...asked, ask(), ask()])) assert.equal(files.length, 1);
    });
    await server[Symbol.asyncDispose]();
    await until("nothing of it is left", async () => {
      const folders = (await Array.fromAsync(Deno.readDir(data.path))).filter(({ name }) =>
        name.startsWith("guestfs-")
      );
      return folders.length === 0 && (await processesOf(data.path)).length === 0;
    }, { seconds: 20, lastSeen: async () => (await processesOf(data.path)).join() });
  },
});
