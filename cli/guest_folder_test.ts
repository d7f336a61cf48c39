/** Folders out of a guest, as a server sends them that takes the guest's word, or lies itself. */
import assert from "node:assert/strict";
import { joined } from "../lib/bytes.ts";
import { ApiError } from "../lib/client/api.ts";
import { tarEnd, tarHead, tarPadding } from "../lib/formats/tar/tar.ts";
import { testFolder } from "../tests/testbed/folder.ts";
import type { Server } from "./connect/server.ts";
import { folderFrom } from "./guest_folder.ts";
import { TERMINAL } from "./terminal.ts";
import { UsageError } from "./verb/values.ts";

/** A file that holds its own name. */
const file = (name: string, mode = 0o644, kind?: string) => {
  const content = new TextEncoder().encode(name), size = content.length;
  const head = tarHead({ name, mode, size, ...(kind !== undefined && { kind }) });
  return joined([head, content, tarPadding(size)]);
};
const folder = (name: string, mode = 0o755) => tarHead({ name: `${name}/`, mode, size: 0 });

/** A server whose guest has this folder. */
const serverWith = (...pieces: Uint8Array[]): Server =>
  ({ request: () => Promise.resolve(new Response(joined(pieces))) }) as unknown as Server;

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

Deno.test("a folder's files have their permissions, and none that make a program somebody else's", async () => {
  await using here = await testFolder();
  const tar = [
    file("a.part"),
    file("a"),
    file("link", 0o777, "2"),
    folder("bin", 0o555),
    file("bin/x", 0o4755),
  ];
  await copy(serverWith(...tar, tarEnd()), `${here.path}/out`);
  assert.deepEqual(await tree(here.path), [
    "out 750",
    "out/a 644 a",
    "out/a.part 644 a.part",
    "out/bin 555",
    "out/bin/x 755 bin/x",
  ]);
});

Deno.test("no name leads out of the folder, and no file into one that was not named before", async () => {
  await using here = await testFolder();
  const out = `${here.path}/out`;
  for (const name of ["../up", "/abs", "a/../../up", "new\nline", "in/none"]) {
    await assert.rejects(copy(serverWith(file(name), tarEnd()), out, true), ApiError, name);
  }
  assert.deepEqual(await tree(here.path), ["out 700"]);
});

Deno.test("a folder that is there is not written into unasked, and a link in its place never", async () => {
  await using here = await testFolder();
  const server = () => serverWith(folder("sub"), file("a"), file("sub/b"), tarEnd());
  const out = `${here.path}/out`, elsewhere = `${here.path}/elsewhere`;
  await Deno.mkdir(elsewhere);
  await Deno.mkdir(out, { mode: 0o700 });
  await assert.rejects(copy(server(), out), UsageError);
  await Deno.writeTextFile(`${out}/a`, "old");
  await copy(server(), out, true);
  assert.equal(await Deno.readTextFile(`${out}/a`), "a");
  assert.equal((await Deno.stat(out)).mode! & 0o777, 0o700, "what was there keeps its permissions");
  await Deno.remove(`${out}/sub`, { recursive: true });
  await Deno.symlink(elsewhere, `${out}/sub`);
  await assert.rejects(copy(server(), out, true), UsageError);
  assert.deepEqual(await tree(elsewhere), []);
});

Deno.test("a folder in a file's place stays, and no part of the file is left next to it", async () => {
  await using here = await testFolder();
  const out = `${here.path}/out`;
  await Deno.mkdir(`${out}/a`, { recursive: true });
  await assert.rejects(copy(serverWith(file("a"), tarEnd()), out, true), /out\/a is a folder/);
  assert.deepEqual((await tree(here.path)).map((line) => line.split(" ")[0]), ["out", "out/a"]);
});

Deno.test("what is cut off is said to be, and leaves no part of a file", async () => {
  await using here = await testFolder();
  const cut = file("b").subarray(0, 512);
  await assert.rejects(copy(serverWith(file("a"), cut), `${here.path}/out`), /cut off/);
  assert.deepEqual(await tree(here.path), ["out 700", "out/a 644 a"]);
});
