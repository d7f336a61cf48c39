/** Checks that an unfinished upload belongs to its user until it is complete or deleted. */
import assert from "node:assert/strict";
import { type Person, personWith } from "../testbed/people.ts";
import { testPool } from "../testbed/pool.ts";
import { call, knownPool, readyServer, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const MIB = 2 ** 20;

Deno.test({
  name: "an upload that broke off goes on for who began it, and for administrators",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using pool = await testPool("upload-pair");
    await knownPool(server, pool.name);
    const operator = [{ role: "operator", on: { kind: "everything" } }] as const;
    const ann = await personWith(server, "ann", [...operator]),
      bob = await personWith(server, "bob", [...operator]);
    const bytes = crypto.getRandomValues(new Uint8Array(65_536)),
      whole = new Uint8Array(2 * MIB).fill(bytes[0]!);
    const at = { pool: pool.name, volume: "begun.img" };
    const put = (who: Person, from: number, body: BodyInit, signal?: AbortSignal) =>
      who.fetch(`/api/v1/storage/pools/${pool.name}/volumes/begun.img/content`, {
        method: "PUT",
        headers: { "content-range": `bytes ${from}-${whole.length - 1}/${whole.length}` },
        body,
        ...(signal && { signal }),
      });
    /** Sends half of it, and breaks off. */
    const begin = async (who: Person) => {
      const abort = new AbortController();
      const cut = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(whole.slice(0, MIB)),
        pull: () => new Promise(() => {}),
      });
      let ended: unknown;
      const broken = put(who, 0, cut, abort.signal).then(
        async (answer) => ended = `${answer.status} ${await answer.text()}`,
        (error) => ended = error,
      );
      await until(
        "half of it to arrive",
        async () => {
          assert.equal(ended, undefined, `it ended before: ${ended}`);
          return (await call(server, "list_jobs", { open: true }))[0]?.doneBytes === MIB;
        },
        {
          lastSeen: async () =>
            `${JSON.stringify(await call(server, "list_jobs"))}\n${server.log().slice(-3000)}`,
        },
      );
      abort.abort();
      await broken;
      await until(
        "it to be kept",
        async () => (await call(server, "list_jobs", { open: true })).length === 0,
      );
    };
    await begin(ann);
    for (const from of [MIB, 0]) {
      const answer = await put(bob, from, whole.slice(from));
      assert.deepEqual([answer.status, (await answer.json()).code], [403, "UploadOfOther"]);
    }
    await refused(bob.call("delete_upload", at), "UploadOfOther");
    assert.equal((await call(server, "get_upload", at)).offset, MIB, "nothing was taken from it");
    assert.equal((await put(ann, MIB, whole.slice(MIB))).status, 200);
    assert.deepEqual(await Deno.readFile(`${pool.path}/begun.img`), whole);
    await call(server, "delete_volume", { ...at, permanently: true });
    await begin(bob);
    await call(server, "delete_upload", at);
  },
});
