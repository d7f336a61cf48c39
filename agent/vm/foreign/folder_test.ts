import assert from "node:assert/strict";
import { ContractError } from "../../../lib/contract/errors.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { SourceFolder } from "./folder.ts";

/** As much of a host as a folder asks for. */
const HOST = { closedPlaces: () => ({ own: [], backups: [] }), machine: null } as unknown as LibvirtHost;

const refusedAs = (code: string, reason: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ContractError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, reason);
  return true;
};

Deno.test("a file that is held is told from one that was written to since, and one that was put in its place is not read", async (t) => {
  const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "kvmm-test-folder-" }));
  try {
    const disk = `${path}/web.vmdk`;
    const writes: readonly (readonly [what: string, write: () => Promise<void> | void])[] = [
      ["written in place", async () => {
        using file = await Deno.open(disk, { write: true });
        await file.write(new TextEncoder().encode("# Disk DescriptorFile"));
      }],
      ["written, and its time set back", async () => {
        const { atime, mtime } = await Deno.stat(disk);
        using file = await Deno.open(disk, { write: true });
        await file.write(new TextEncoder().encode("# Disk DescriptorFile"));
        file.utimeSync(atime!, mtime!);
      }],
      ["longer", () => Deno.writeTextFile(disk, "more", { append: true })],
      ["shorter", () => Deno.truncate(disk, 10)],
    ];
    for (const [what, write] of writes) {
      await t.step(what, async () => {
        await Deno.writeTextFile(disk, "content".repeat(100));
        using held = new DisposableStack();
        const file = await (await SourceFolder.open(HOST, path)).file("web.vmdk", held);
        await file.source.read(0, 512);
        await file.requireUnchanged();
        await write();
        await assert.rejects(file.requireUnchanged(), refusedAs("ForeignVmRefused", /web\.vmdk was changed/));
      });
    }
    await t.step("while it is looked at", async () => {
      await Deno.writeTextFile(disk, "content");
      using held = new DisposableStack();
      const folder = await SourceFolder.open(HOST, path), opening = folder.file("web.vmdk", held);
      const writing = setInterval(() => Deno.writeTextFileSync(disk, "more", { append: true }), 50);
      try {
        await assert.rejects(opening, refusedAs("ForeignVmRefused", /web\.vmdk was changed/));
      } finally {
        clearInterval(writing);
      }
    });
    await t.step("another file in its place", async () => {
      await Deno.writeTextFile(disk, "first".repeat(100));
      using held = new DisposableStack();
      const folder = await SourceFolder.open(HOST, path), file = await folder.file("web.vmdk", held);
      await Deno.writeTextFile(`${path}/other`, "other".repeat(100));
      await Deno.rename(`${path}/other`, disk);
      assert.equal(new TextDecoder().decode(await file.source.read(0, 5)), "first");
      await Deno.remove(disk);
      await Deno.symlink("/etc/shadow", disk);
      await assert.rejects(folder.file("web.vmdk", held), refusedAs("PathRefused", /link/));
    });
  } finally {
    await Deno.remove(path, { recursive: true });
  }
});
