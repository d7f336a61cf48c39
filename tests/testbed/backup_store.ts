/** Tests of every store of backups. */
import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/mod.ts";
import type { BackupStore } from "../../agent/backups/store/store.ts";
import { FileRefused } from "../../agent/machine/files.ts";

const bytes = (text: string) => new Uint8Array(new TextEncoder().encode(text));
const NAME = "chunks/ab/ab12", ID = "20260101-000000-00000000", OTHER = "20260102-000000-00000000";

/** Asserts that a store refuses, in these words. */
export const refuses = (work: Promise<unknown>, reason: RegExp, code = "BackupTargetUnusable") =>
  assert.rejects(work, (error) => {
    assert.ok(error instanceof ContractError, String(error instanceof Error ? error.stack : error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, reason);
    return true;
  });

/** Goes through all that a store can. @param other another connection to the same place */
export async function checkStore(t: Deno.TestContext, store: BackupStore, other: BackupStore): Promise<void> {
  await t.step("it is made ready, as often as one likes", async () => {
    await store.make();
    await store.write("repository.json", bytes("{}"));
    await store.make();
    await store.open();
  });
  await t.step("files are written whole, read, replaced, moved and deleted", async () => {
    const large = crypto.getRandomValues(new Uint8Array(65_536));
    const content = new Uint8Array(2 * 1024 ** 2 + 5);
    for (let at = 0; at < content.length; at += large.length) {
      content.set(large.subarray(0, content.length - at), at);
    }
    assert.equal(await store.sizeOf(NAME), undefined);
    await assert.rejects(store.read(NAME, 10), Deno.errors.NotFound);
    await store.write(NAME, bytes("first"));
    await store.write(NAME, content);
    assert.equal(await store.sizeOf(NAME), content.length);
    assert.deepEqual(await other.read(NAME, content.length), content);
    await assert.rejects(store.read(NAME, content.length - 1), FileRefused);
    await store.write("chunks/ab/empty", new Uint8Array());
    assert.equal((await store.read("chunks/ab/empty", 10)).length, 0);
    await store.remove("chunks/ab/empty");
    await store.move(NAME, `${NAME}.damaged`);
    const names = (await Array.fromAsync(store.list("chunks"))).map(({ name, bytes }) => [name, bytes]);
    assert.deepEqual(names, [[`${NAME}.damaged`, content.length]]);
    await store.remove(`${NAME}.damaged`);
    await store.remove(`${NAME}.damaged`);
    assert.deepEqual(await Array.fromAsync(store.list("chunks")), []);
  });
  await t.step("a copy is there once it is whole, and gone at once", async () => {
    const files = [["a", bytes("a")], ["manifest.json", bytes("m")]] as const;
    assert.deepEqual(await store.groups(), { whole: [], partial: [] });
    await store.beginGroup(ID);
    assert.deepEqual(await other.groups(), { whole: [], partial: [ID] });
    await store.finishGroup(ID, files);
    await store.beginGroup(OTHER);
    assert.deepEqual(await other.groups(), { whole: [ID], partial: [OTHER] });
    assert.deepEqual(await other.read(`copies/${ID}/a`, 10), bytes("a"));
    await store.abandonGroup(OTHER);
    assert.deepEqual(await store.groups(), { whole: [ID], partial: [] });
    await store.removeGroup(ID);
    assert.deepEqual(await other.groups(), { whole: [], partial: [] });
    assert.deepEqual(await Array.fromAsync(store.list("copies")), []);
  });
  await t.step("who writes is alone; who reads is with others who read", async () => {
    const first = await store.lock("write", true);
    assert.ok(first !== undefined);
    assert.equal(await other.lock("write", true), undefined);
    const [one, two] = [await store.lock("content", false), await other.lock("content", false)];
    assert.ok(one !== undefined && two !== undefined);
    assert.equal(await other.lock("content", true), undefined);
    for (const lock of [first, one, two]) await lock.release();
    const again = await other.lock("write", true);
    assert.ok(again !== undefined);
    await again.release();
  });
}
