/**
 * Checks the errors of the seed's commands while nothing can be written: the database on a file system that is full, or
 * read-only; the folder of a profile's file likewise. The seed's codes, no partial changes, and all goes on once there
 * is room.
 */
import assert from "node:assert/strict";
import type { CommandName } from "../../lib/contract/mod.ts";
import { fill } from "../testbed/fill.ts";
import { testFolder } from "../testbed/folder.ts";
import { loopDevice } from "../testbed/loop.ts";
import { run } from "../testbed/process.ts";
import { call, ownServer, refusal } from "../testbed/product.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("loopDevices") !== null;
/** Makes a change take pages of its own. */
const LONG = "x".repeat(1000);
const agent = (name: string) =>
  ({ name, tool_type: "agent", source_scope: null, permissions: null }) as const;

/** Two projects, of which one has a profile and a local tool; a second profile; a file with one. */
async function furnished(server: TestServer, folder: string) {
  const { id: lab } = await call(server, "create_project", { name: "lab" });
  const { id: web } = await call(server, "create_project", { name: "web" });
  const { id } = await call(server, "create_profile", { name: "nightly", description: LONG });
  await call(server, "update_profile", { id, tool_refs: [agent("ci")] });
  const { id: spare } = await call(server, "create_profile", { name: "spare" });
  await call(server, "assign_profile", { project_id: lab, profile_id: id });
  await call(server, "add_local_tool", { project_id: lab, tool_ref: agent("own") });
  const file = `${folder}/nightly.kvmm-profile.json`;
  await call(server, "export_profile", { profile_id: id, output_path: file });
  return { lab, web, id, spare, file };
}
type Furnished = Awaited<ReturnType<typeof furnished>>;

/** All that profiles and projects have, as it is told. */
async function told(server: TestServer, { lab, web, id, spare, file }: Furnished) {
  return {
    profiles: await call(server, "list_profiles"),
    details: [await call(server, "get_profile", { id }), await call(server, "get_profile", { id: spare })],
    tools: await Promise.all(
      [lab, web].map((project_id) => call(server, "get_project_tools", { project_id })),
    ),
    preview: await call(server, "preview_import", { input_path: file }),
  };
}

/** Every command of the seed that changes something in the database. */
const changes = ({ lab, web, id, spare, file }: Furnished): [CommandName, Record<string, unknown>][] => [
  ["create_profile", { name: "new", description: LONG }],
  ["update_profile", { id, description: LONG.toUpperCase() }],
  ["delete_profile", { id }],
  ["assign_profile", { project_id: web, profile_id: spare }],
  ["unassign_profile", { project_id: lab }],
  ["add_local_tool", { project_id: web, tool_ref: agent("more") }],
  ["remove_local_tool", { project_id: lab, tool_name: "own", tool_type: "agent" }],
  ["import_profile", { input_path: file, rename_to: "imported" }],
];

/** Each is refused with the seed's code, and reads go on as before. */
async function whileUnwritable(server: TestServer, there: Furnished, why: RegExp): Promise<void> {
  const before = await told(server, there);
  for (const [command, input] of changes(there)) {
    const { code, message, status } = await refusal(server.call(command, input));
    assert.deepEqual([command, code, status], [command, "DatabaseError", 503], message);
    assert.match(message, why, `${command}: ${message}`);
    assert.match(message, /^Storage operation failed: .{20}/, command);
  }
  assert.deepEqual(await told(server, there), before, "something was half done");
}

/** All of them are carried out. */
async function afterwards(server: TestServer, there: Furnished): Promise<void> {
  const [first, ...others] = changes(there).filter(([command]) => command !== "delete_profile");
  await until("it to be written again", async () => {
    try {
      return await server.call(...first!);
    } catch {
      return false;
    }
  }, { seconds: 60 });
  for (const [command, input] of others) await server.call(command, input);
  await server.call("delete_profile", { id: there.id });
  const names = (await call(server, "list_profiles")).map(({ name }) => name);
  assert.deepEqual(names.toSorted(), ["imported", "new", "spare"]);
}

Deno.test({
  name: "profiles_unwritable: a full or read-only file system of the database is DatabaseError",
  ignore,
  fn: async (t) => {
    await t.step("full", async () => {
      await using undo = new AsyncDisposableStack();
      const { path: dataDir } = undo.use(await testFolder()), { path: folder } = undo.use(await testFolder());
      await run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", dataDir]);
      undo.defer(async () => void await run(["umount", "-l", dataDir]));
      await using server = await ownServer({ dataDir, uri: "test:///default" });
      const there = await furnished(server, folder);
      fill(`${dataDir}/filler`);
      await whileUnwritable(server, there, /full|room|space/i);
      await Deno.remove(`${dataDir}/filler`);
      await afterwards(server, there);
    });
    await t.step("read-only, as a file system becomes after an error of its disk", async () => {
      await using undo = new AsyncDisposableStack();
      const { path: dataDir } = undo.use(await testFolder()), { path: folder } = undo.use(await testFolder());
      const disk = `${folder}/disk`, device = undo.use(await loopDevice(disk, 64));
      await run(["mkfs.ext4", "-q", "-F", "-e", "remount-ro", device.path]);
      await run(["mount", device.path, dataDir]);
      let there: Furnished;
      try {
        await using server = await ownServer({ dataDir, uri: "test:///default" });
        there = await furnished(server, folder);
        const name = device.path.slice("/dev/".length);
        await Deno.writeTextFile(`/sys/fs/ext4/${name}/trigger_fs_error`, "test");
        await whileUnwritable(server, there, /read-only|readonly/i);
      } finally {
        await run(["umount", "-l", dataDir]);
      }
      // A copy: mount namespaces of other tests that run now may keep the file system mounted, which e2fsck refuses
      await Deno.copyFile(disk, `${disk}-repaired`);
      // Its exit status 1 is: errors were corrected
      await run(["sh", "-c", `e2fsck -fy "$0" || [ $? = 1 ]`, `${disk}-repaired`]);
      const repaired = undo.use(await loopDevice(`${disk}-repaired`, 64));
      await run(["mount", repaired.path, dataDir]);
      undo.defer(async () => void await run(["umount", "-l", dataDir]));
      await using server = await ownServer({ dataDir, uri: "test:///default" });
      await afterwards(server, there);
    });
  },
});

Deno.test({
  name: "profiles_unwritable: a full or read-only folder of a profile's file is IoError, and leaves no draft",
  ignore,
  fn: async (t) => {
    await using folder = await testFolder();
    await using server = await ownServer({ uri: "test:///default" });
    const there = await furnished(server, folder.path);
    const mounted = async (...options: string[]) => {
      await using undo = new AsyncDisposableStack();
      const { path } = undo.use(await testFolder());
      await run(["mount", "-t", "tmpfs", "-o", options.join(","), "tmpfs", path]);
      undo.defer(async () => void await run(["umount", "-l", path]));
      const kept = undo.move();
      return { path, [Symbol.asyncDispose]: () => kept.disposeAsync() };
    };
    const exportTo = (output_path: string) =>
      refusal(server.call("export_profile", { profile_id: there.id, output_path }));
    const names = async (path: string) => (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name);

    await t.step("full: the file that has the name stays as it is", async () => {
      await using full = await mounted("size=64k");
      const path = `${full.path}/nightly.kvmm-profile.json`;
      await Deno.writeTextFile(path, "before");
      fill(`${full.path}/filler`);
      const { code, status, message } = await exportTo(path);
      assert.deepEqual([code, status], ["IoError", 400], message);
      assert.match(message, /room|space|full/i);
      assert.equal(await Deno.readTextFile(path), "before");
      assert.deepEqual((await names(full.path)).toSorted(), ["filler", "nightly.kvmm-profile.json"]);
      await Deno.remove(`${full.path}/filler`);
      await call(server, "export_profile", { profile_id: there.id, output_path: path });
      assert.equal(JSON.parse(await Deno.readTextFile(path)).name, "nightly");
    });
    await t.step("read-only: it can be read, and not written", async () => {
      await using only = await mounted("size=64k");
      const path = `${only.path}/nightly.kvmm-profile.json`;
      await Deno.copyFile(there.file, path);
      await run(["mount", "-o", "remount,ro", only.path]);
      for (const output_path of [path, `${only.path}/other.kvmm-profile.json`]) {
        const { code, message } = await exportTo(output_path);
        assert.equal(code, "IoError", message);
        assert.match(message, /read-only/i);
      }
      assert.deepEqual(await names(only.path), ["nightly.kvmm-profile.json"]);
      assert.equal((await call(server, "preview_import", { input_path: path })).name, "nightly");
    });
  },
});
