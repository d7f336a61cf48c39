import assert from "node:assert/strict";
import { copyGoalXml, mirrorOf } from "./block_copy.ts";
import { parseXml } from "./tree.ts";

Deno.test("copyGoalXml() names file or device, and nothing below it", () => {
  const file = parseXml(copyGoalXml({ path: "/a/<b>&'.qcow2", type: "file", format: "qcow2" }));
  assert.deepEqual(file.children.map(({ name }) => name), ["driver", "source", "backingStore"]);
  assert.deepEqual({ ...file.attributes }, { type: "file" });
  assert.deepEqual({ ...file.children[0]!.attributes }, { name: "qemu", type: "qcow2" });
  assert.deepEqual({ ...file.children[1]!.attributes }, { file: "/a/<b>&'.qcow2" });
  assert.equal(file.children[2]!.children.length, 0);
  const device = parseXml(copyGoalXml({ path: "/dev/vg/a", type: "block", format: "raw" }));
  assert.deepEqual({ ...device.attributes }, { type: "block" });
  assert.deepEqual({ ...device.children[1]!.attributes }, { dev: "/dev/vg/a" });
});

Deno.test("mirrorOf() tells a copy under way from one that is ready, and from none", () => {
  const disk = (mirror: string) => parseXml(`<disk><source file='/a'/>${mirror}</disk>`);
  assert.equal(mirrorOf(disk("")), undefined);
  assert.deepEqual(
    mirrorOf(disk("<mirror type='file' file='/b' job='copy'><source file='/b' index='2'/></mirror>")),
    { path: "/b", isReady: false },
  );
  assert.deepEqual(
    mirrorOf(disk("<mirror type='block' job='copy' ready='yes'><source dev='/dev/vg/b'/></mirror>")),
    { path: "/dev/vg/b", isReady: true },
  );
  assert.deepEqual(mirrorOf(disk("<mirror type='file' file='/b' ready='pivot'/>")), {
    path: "/b",
    isReady: false,
  });
});
