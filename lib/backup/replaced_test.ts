import assert from "node:assert/strict";
import { parseXml } from "../formats/xml/tree.ts";
import { lineageIn, lineageOf, lineageXml, type PresentDisk, replacedBy, withSuccessor } from "./replaced.ts";

const disk = (target: string, source: string, more: Partial<PresentDisk> = {}): PresentDisk => ({
  target,
  source,
  device: "disk",
  readOnly: false,
  shareable: false,
  image: `file 1 ${source}`,
  ...more,
});
const NONE = new Map<string, string[]>();
const of = (found: Map<string, PresentDisk>) =>
  [...found].map(([target, { source }]) => `${target} ${source}`);

Deno.test("replacedBy() goes by what a disk is, not by its name", () => {
  const copied = [
    { target: "vda", origin: "file 1 /a", path: "/a" },
    { target: "vdb", origin: "file 1 /b", path: "/b" },
  ];
  const now = [disk("vda", "/a"), disk("vdb", "/later"), disk("vdc", "/b")];
  assert.deepEqual(of(replacedBy(copied, now, NONE)), ["vda /a", "vdb /b"]);
  const others = [disk("vda", "/a", { image: "file 2 /a" })];
  assert.deepEqual(of(replacedBy(copied, others, NONE)), [], "another file at its path");
  const media = [
    disk("vda", "/a", { device: "cdrom" }),
    disk("vdb", "/b", { readOnly: true }),
    disk("vdc", "/b", { shareable: true }),
  ];
  assert.deepEqual(of(replacedBy(copied, media, NONE)), []);
});

Deno.test("replacedBy() goes by the path where a copy does not tell more", () => {
  const copied = [{ target: "vdb", origin: undefined, path: "/b" }];
  assert.deepEqual(of(replacedBy(copied, [disk("vdb", "/later"), disk("vdc", "/b")], NONE)), ["vdb /b"]);
  assert.deepEqual(of(replacedBy([{ target: "vda", origin: undefined, path: undefined }], [], NONE)), []);
});

Deno.test("what was restored takes the place of what it was, through restores one after the other", () => {
  const first = lineageOf("file 1 /a", disk("vda", "/a"), NONE);
  assert.deepEqual(first, ["file 1 /a"]);
  const kept = new Map([["/r1 & <co>", first]]);
  const text = lineageXml(kept)!.replaceAll("disks>", "kvmm-restored:disks>");
  const lineage = lineageIn(parseXml(`<domain><metadata>${text}</metadata></domain>`));
  assert.deepEqual(lineage, kept);
  const copied = [{ target: "vda", origin: "file 1 /a", path: "/a" }];
  const now = disk("vda", "/r1 & <co>");
  assert.deepEqual(of(replacedBy(copied, [now], lineage)), ["vda /r1 & <co>"]);
  const second = lineageOf("file 1 /a", now, lineage);
  assert.deepEqual(second, ["file 1 /a", "file 1 /r1 & <co>"]);
  assert.equal(lineageXml(new Map()), null);
});

Deno.test("a disk that was moved, and merged into another image, is the one that was copied", () => {
  const moved = withSuccessor(new Map([["/x", ["file 9 /w"]]]), { path: "/a", image: "file 1 /a" }, "/b");
  const merged = withSuccessor(moved, { path: "/b", image: "file 2 /b" }, "/c");
  const again = withSuccessor(merged, { path: "/b", image: undefined }, "/c");
  assert.deepEqual(again.get("/c"), ["file 1 /a", "file 2 /b"], "settled once more after the old image went");
  assert.deepEqual(again.get("/x"), ["file 9 /w"]);
  const now = [disk("vda", "/c"), disk("vdb", "/other")];
  for (const [origin, path] of [["file 1 /a", "/a"], ["file 2 /b", "/b"]] as const) {
    assert.deepEqual(of(replacedBy([{ target: "vdb", origin, path }], now, again)), ["vdb /c"], origin);
  }
});
