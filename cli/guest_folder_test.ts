/** Folders out of a guest that lies about the names in them. */
import assert from "node:assert/strict";
import { testFolder } from "../tests/testbed/folder.ts";
import type { GuestFile } from "../lib/contract/mod.ts";
import type { Server } from "./connect/server.ts";
import { folderFrom } from "./guest_folder.ts";
import { TERMINAL } from "./terminal.ts";
import { UsageError } from "./verb/values.ts";

const file = (name: string, kind: GuestFile["kind"] = "file", mode = "0644"): GuestFile => ({
  ...{ name, kind, size: 4, modifiedAt: 0, mode, owner: "root", group: "root" },
});

/** A server whose guest has these folders; each file holds its own path. */
function serverWith(folders: Readonly<Record<string, readonly GuestFile[]>>, truncated = false): Server {
  return {
    call: (_command: string, input: { path: string }) =>
      Promise.resolve({ path: input.path, files: folders[input.path] ?? [], truncated }),
    request: (address: string) =>
      Promise.resolve(new Response(new URL(address, "http://x").searchParams.get("path"))),
  } as unknown as Server;
}

const copy = (server: Server, to: string, overwrite = false) =>
  folderFrom({ server, vmId: "id", terminal: TERMINAL }, "/src", to, { overwrite, mode: "0750" });

/** Everything below a folder, with permissions; of files what they hold. */
async function tree(folder: string, at = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`, mode = ((await Deno.stat(path)).mode! & 0o7777).toString(8);
    found.push(`${at}${name} ${mode}${isDirectory ? "" : ` ${await Deno.readTextFile(path)}`}`);
    if (isDirectory) found.push(...await tree(path, `${at}${name}/`));
  }
  return found.sort();
}

Deno.test("a guest's names lead nowhere but below the folder, and its permissions make no program somebody else's", async () => {
  await using here = await testFolder();
  const names = ["../up", "..", ".", "", "/abs", "a/b", "new\nline", "nul\0"];
  const server = serverWith({
    "/src": [
      ...names.map((name) => file(name)),
      file("..", "folder"),
      file("a.part"),
      file("a"),
      file("bin", "folder", "0555"),
      file("link", "link"),
      file("device", "other"),
    ],
    "/src/bin": [file("x", "file", "4755")],
  });
  await copy(server, `${here.path}/out`);
  assert.deepEqual(await tree(here.path), [
    "out 750",
    "out/a 644 /src/a",
    "out/a.part 644 /src/a.part",
    "out/bin 555",
    "out/bin/x 755 /src/bin/x",
  ]);
});

Deno.test("a folder that is there is not written into unasked, and a link in its place never", async () => {
  await using here = await testFolder();
  const server = serverWith({ "/src": [file("sub", "folder"), file("a")], "/src/sub": [file("b")] });
  const out = `${here.path}/out`, elsewhere = `${here.path}/elsewhere`;
  await Deno.mkdir(elsewhere);
  await Deno.mkdir(out, { mode: 0o700 });
  await assert.rejects(copy(server, out), UsageError);
  await Deno.writeTextFile(`${out}/a`, "old");
  await copy(server, out, true);
  assert.equal(await Deno.readTextFile(`${out}/a`), "/src/a");
  assert.equal((await Deno.stat(out)).mode! & 0o777, 0o700, "what was there keeps its permissions");
  await Deno.remove(`${out}/sub`, { recursive: true });
  await Deno.symlink(elsewhere, `${out}/sub`);
  await assert.rejects(copy(server, out, true), UsageError);
  assert.deepEqual(await tree(elsewhere), []);
});

Deno.test("a folder that is not listed whole is no copy", async () => {
  await using here = await testFolder();
  await assert.rejects(copy(serverWith({}, true), `${here.path}/out`), /more files than are listed/);
});
