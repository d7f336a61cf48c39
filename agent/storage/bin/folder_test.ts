import assert from "node:assert/strict";
import { BIN_FOLDER } from "../../../lib/bin/place.ts";
import {
  binFault,
  BinFolderError,
  findKeepable,
  isKept,
  moveIn,
  moveOut,
  namesInBin,
  noteIn,
  putNote,
  removeKept,
  removeNote,
} from "./folder.ts";

/** Runs in a folder with a file `disk` that holds `content`. */
async function withDisk(
  run: (at: { folder: string; path: string; file: { dev: number; ino: number } }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" }), path = `${folder}/a disk 'ü"`;
  try {
    await Deno.writeTextFile(path, "content");
    await run({ folder, path, file: (await findKeepable(path))!.file });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const names = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();

Deno.test("a file goes in and comes out, once however often it is asked for", () =>
  withDisk(async ({ folder, path, file }) => {
    const move = { path, as: "x.0", file };
    assert.deepEqual([await moveIn(move), await moveIn(move), await isKept(move)], [true, false, true]);
    assert.deepEqual(await names(folder), [BIN_FOLDER]);
    assert.equal((await Deno.stat(`${folder}/${BIN_FOLDER}`)).mode! & 0o777, 0o755);
    assert.deepEqual([await moveOut(move), await moveOut(move), await isKept(move)], [true, false, false]);
    assert.equal(await Deno.readTextFile(path), "content");
  }));

Deno.test("a folder goes in and comes out, too", () =>
  withDisk(async ({ folder }) => {
    const path = `${folder}/tpm`;
    await Deno.mkdir(`${path}/tpm2`, { recursive: true });
    await Deno.writeTextFile(`${path}/tpm2/state`, "sealed");
    const move = { path, as: "x.0", file: (await findKeepable(path))!.file };
    await moveIn(move);
    await moveOut({ ...move, path: `${folder}/other` });
    assert.equal(await Deno.readTextFile(`${folder}/other/tpm2/state`), "sealed");
    await moveIn({ ...move, path: `${folder}/other` });
    await removeKept(move);
    assert.equal(await isKept(move), false);
  }));

Deno.test("a name that is taken is never written over", () =>
  withDisk(async ({ path, file }) => {
    const move = { path, as: "x.0", file };
    await moveIn(move);
    await Deno.writeTextFile(path, "another");
    await assert.rejects(moveOut(move), Deno.errors.AlreadyExists);
    assert.equal(await Deno.readTextFile(path), "another");
    assert.equal(await isKept(move), true);
  }));

Deno.test("a move that was cut short between its halves is finished either way", () =>
  withDisk(async ({ folder, path, file }) => {
    const move = { path, as: "x.0", file };
    await moveIn(move);
    await Deno.link(`${folder}/${BIN_FOLDER}/x.0`, path);
    assert.equal(await moveOut(move), false);
    assert.deepEqual([await Deno.readTextFile(path), await isKept(move)], ["content", false]);
    await moveIn(move);
    await Deno.link(`${folder}/${BIN_FOLDER}/x.0`, path);
    assert.equal(await moveIn(move), false);
    assert.deepEqual([await names(folder), await isKept(move)], [[BIN_FOLDER], true]);
  }));

Deno.test("another file at the path is not the one that was meant", () =>
  withDisk(async ({ folder, path, file }) => {
    await Deno.rename(path, `${folder}/elsewhere`);
    await Deno.writeTextFile(path, "another");
    await assert.rejects(moveIn({ path, as: "x.0", file }), BinFolderError);
    assert.equal(await Deno.readTextFile(path), "another");
    await Deno.remove(path);
    await Deno.symlink(`${folder}/elsewhere`, path);
    await assert.rejects(moveIn({ path, as: "x.0", file }), BinFolderError);
    assert.equal(await findKeepable(path), undefined);
  }));

Deno.test("a bin that somebody else has put there is not used", () =>
  withDisk(async ({ folder, path, file }) => {
    const elsewhere = await Deno.makeTempDir({ prefix: "kvmm-test-" }), bin = `${folder}/${BIN_FOLDER}`;
    try {
      await Deno.chmod(elsewhere, 0o700);
      await Deno.symlink(elsewhere, bin);
      assert.match(await binFault(folder) ?? "", /no folder/);
      await assert.rejects(moveIn({ path, as: "x.0", file }), BinFolderError);
      await assert.rejects(putNote(folder, "x.json", "{}"), BinFolderError);
      assert.deepEqual(await names(elsewhere), []);
      await Deno.remove(bin);
      await Deno.mkdir(bin);
      await Deno.chmod(bin, 0o775);
      assert.match(await binFault(folder) ?? "", /own/);
      await assert.rejects(moveIn({ path, as: "x.0", file }), BinFolderError);
      assert.equal(await Deno.readTextFile(path), "content");
    } finally {
      await Deno.remove(elsewhere, { recursive: true });
    }
  }));

Deno.test("what a kill has left of a note does not keep the bin's folder", () =>
  withDisk(async ({ folder }) => {
    await putNote(folder, "x.json", "whole");
    await Deno.writeTextFile(`${folder}/${BIN_FOLDER}/x.json.part`, "ha");
    await removeNote(folder, "x.json");
    assert.equal((await names(folder)).includes(BIN_FOLDER), false);
    await Deno.mkdir(`${folder}/${BIN_FOLDER}`, { mode: 0o755 });
    await Deno.writeTextFile(`${folder}/${BIN_FOLDER}/x.json.part`, "ha");
    await removeNote(folder, "x.json");
    assert.equal((await names(folder)).includes(BIN_FOLDER), false);
  }));

Deno.test("notes are read back within their bounds, and the bin goes with its last content", () =>
  withDisk(async ({ folder, path, file }) => {
    await moveIn({ path, as: "x.0", file });
    await putNote(folder, "x.json", "first");
    await putNote(folder, "x.json", "second");
    assert.deepEqual((await namesInBin(folder)).sort(), ["x.0", "x.json"]);
    assert.equal(await noteIn(folder, "x.json", 100), "second");
    assert.equal(await noteIn(folder, "x.json", 3), undefined);
    await removeNote(folder, "x.json");
    assert.deepEqual(await namesInBin(folder), ["x.0"]);
    await removeKept({ path, as: "x.0" });
    await removeNote(folder, "x.json");
    assert.deepEqual(await names(folder), []);
    assert.deepEqual(await namesInBin(`${folder}/none`), []);
  }));
