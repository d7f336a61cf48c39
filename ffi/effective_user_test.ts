import assert from "node:assert/strict";
import { inOwnProcess } from "../tests/testbed/own_process.ts";
import { skippedUnlessRoot } from "../tests/testbed/skipped_unless.ts";
import { asUser } from "./effective_user.ts";

const NOBODY = { uid: 65534, gid: 65534 };
const idsNow = async () =>
  /^Uid:\s(.*)\n(?:.*\n)*?Groups:\s?(.*)$/m.exec(await Deno.readTextFile("/proc/thread-self/status"))?.slice(
    1,
  );

const TWICE = "asUser() lets one user act at a time; the others wait, and none acts as the first one";

Deno.test({
  name: TWICE,
  ignore: skippedUnlessRoot(),
  fn: inOwnProcess(import.meta.url, TWICE, async () => {
    const DAEMON = { uid: 1, gid: 1 }, ROOT = { uid: 0, gid: 0 };
    const before = await idsNow();
    const order: string[] = [];
    /** Looks whom it acts as, at its begin, while the others have been asked for, and at its end. */
    const act = (user: { uid: number; gid: number }) =>
      asUser(user, async () => {
        for (let look = 0; look < 5; look++) {
          assert.equal((await idsNow())![0]!.split("\t")[1], String(user.uid));
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        order.push(String(user.uid));
      });
    const results = await Promise.allSettled([
      act(NOBODY),
      act(DAEMON),
      asUser(NOBODY, () => Promise.reject(new Error("broken"))),
      act(ROOT),
      act(DAEMON),
    ]);
    assert.deepEqual(results.map(({ status }) => status), [
      "fulfilled",
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
    assert.deepEqual(order, ["65534", "1", "0", "1"]);
    assert.deepEqual(await idsNow(), before);
    // Asked for by what acts already: the same user is no change, another one is refused, and nothing waits for itself.
    await asUser(NOBODY, async () => {
      assert.equal(await asUser(NOBODY, () => 7), 7);
      await assert.rejects(asUser(DAEMON, () => 7), /cannot become the user 1/);
      await assert.rejects(asUser(ROOT, () => 7), /cannot become the user 0/);
      assert.match((await idsNow())![0]!, /^0\s65534/);
    });
    assert.deepEqual(await idsNow(), before);
  }),
});

const NAME = "asUser() opens files with that user's rights in every thread, and is root again afterwards";

Deno.test({
  name: NAME,
  ignore: skippedUnlessRoot(),
  fn: inOwnProcess(import.meta.url, NAME, async () => {
    const before = await idsNow();
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    try {
      await Deno.chmod(folder, 0o711);
      await Deno.writeTextFile(`${folder}/secret`, "x", { mode: 0o600 });
      await Deno.symlink(`${folder}/secret`, `${folder}/link`);
      await asUser(NOBODY, async () => {
        const tries = Array.from({ length: 20 }, () => Deno.readTextFile(`${folder}/link`));
        for (const each of await Promise.allSettled(tries)) assert.equal(each.status, "rejected");
        assert.throws(() => Deno.writeTextFileSync(`${folder}/new`, ""), Deno.errors.PermissionDenied);
        assert.match((await idsNow())![0]!, /^0\s65534/);
      });
      assert.equal(await Deno.readTextFile(`${folder}/link`), "x");
      await assert.rejects(asUser(NOBODY, () => Promise.reject(new Error("broken"))), /broken/);
      assert.deepEqual(await idsNow(), before);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }),
});
