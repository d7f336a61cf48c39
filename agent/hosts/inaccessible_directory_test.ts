import assert from "node:assert/strict";
import { closedFolder } from "./inaccessible_directory.ts";

const QEMU = { uid: 64055, gid: 64055 };
const { uid, gid } = Deno.statSync("/proc/self");

Deno.test("closedFolder() names the topmost folder that a user may not enter", async () => {
  const base = await Deno.realPath(await Deno.makeTempDir({ prefix: "kvmm-test-" }));
  try {
    await Deno.mkdir(`${base}/a/b`, { recursive: true });
    await Deno.writeTextFile(`${base}/a/b/x.iso`, "");
    const asked = (user: { uid: number; gid: number }) => closedFolder(`${base}/a/b/x.iso`, user);
    const modes = (...each: number[]) =>
      Promise.all(["", "/a", "/a/b"].map((name, index) => Deno.chmod(`${base}${name}`, each[index]!)));
    await modes(0o755, 0o755, 0o755);
    assert.equal(await asked(QEMU), undefined);
    await modes(0o755, 0o700, 0o700);
    assert.equal(await asked(QEMU), `${base}/a`);
    await modes(0o755, 0o711, 0o750);
    assert.equal(await asked(QEMU), `${base}/a/b`);
    assert.equal(await asked({ uid: 64055, gid: gid! }), undefined, "its group may");
    assert.equal(await asked({ uid: uid!, gid: 1 }), undefined, "its owner may");
    assert.equal(await asked({ uid: 0, gid: 0 }), undefined, "root may");
    assert.equal(await closedFolder(`${base}/none/x.iso`, QEMU), undefined);
    assert.equal(await closedFolder(`${base}/${"n".repeat(300)}/x.iso`, QEMU), undefined, "can be no folder");
  } finally {
    await Deno.remove(base, { recursive: true });
  }
});
