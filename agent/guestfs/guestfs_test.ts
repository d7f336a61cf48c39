import assert from "node:assert/strict";
import { isThere } from "../machine/files.ts";
import { GuestfsFolders } from "./guestfs.ts";

const MODULE = new URL("./guestfs.ts", import.meta.url).href;

Deno.test("what a process that was killed has left goes at the next start; what somebody works in stays", async () => {
  const dataDir = await Deno.makeTempDir();
  try {
    const script = `import { GuestfsFolders } from ${JSON.stringify(MODULE)};
      const folder = await new GuestfsFolders(${JSON.stringify(dataDir)}).make();
      await Deno.writeTextFile(folder.path + "/disk", "content");
      console.log(folder.path);
      await new Promise(() => setInterval(() => {}, 1000));`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--quiet", "--no-check", script],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = child.stdout.getReader();
    const left = new TextDecoder().decode((await reader.read()).value).trim();
    assert.match(left, /\/guestfs-/);

    const before = new GuestfsFolders(dataDir);
    before.start();
    await before.stop();
    assert.ok(await isThere(`${left}/disk`), "somebody works in it");
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    await Deno.mkdir(`${dataDir}/other`);

    const folders = new GuestfsFolders(dataDir);
    folders.start();
    {
      await using own = await folders.make();
      assert.equal((await Deno.stat(own.path)).mode! & 0o777, 0o700);
      assert.equal(await isThere(left), false);
    }
    assert.deepEqual((await Array.fromAsync(Deno.readDir(dataDir))).map(({ name }) => name), ["other"]);
    await folders.stop();
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("a folder of the database that is not there yet has nothing to remove", async () => {
  const folders = new GuestfsFolders("/no/such/folder");
  folders.start();
  await folders.stop();
});
