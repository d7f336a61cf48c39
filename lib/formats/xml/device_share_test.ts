import assert from "node:assert/strict";
import { renderXml } from "./build.ts";
import { hasSharedMemory, shareMemory, shareWithTag, shareXml } from "./device_share.ts";
import { compareShares } from "./device_diff.ts";
import { XmlDocument } from "./edit.ts";

const share = (tag: string, inside = "") =>
  `<filesystem type='mount'>${inside}<source dir='/srv/${tag}'/><target dir='${tag}'/></filesystem>`;
const domain = (devices: string, parts = "") =>
  `<domain><memory>1</memory>${parts}<devices>${devices}</devices></domain>`;

Deno.test("shareXml() escapes what a folder is called", () => {
  const element = renderXml(
    shareXml({ folder: "/srv/a'<b>", tag: "t", driver: "virtiofs", readOnly: false }),
  );
  const { root } = new XmlDocument(element);
  assert.equal(root.children.find(({ name }) => name === "source")?.attributes.dir, "/srv/a'<b>");
  const look = renderXml(shareXml({ folder: "/srv", tag: "t", driver: "9p", readOnly: true }));
  assert.match(look, /<readonly\/>/);
  assert.doesNotMatch(look, /driver/);
});

Deno.test("shareMemory() switches shared memory on once, and keeps huge pages", () => {
  const cases: [string, RegExp, boolean][] = [
    ["", /<access mode='shared'\/>\s*<source type='memfd'\/>/, true],
    ["<memoryBacking><hugepages/></memoryBacking>", /<hugepages\/>\s*<access mode='shared'\/>\s*<\//, true],
    ["<memoryBacking><source type='anonymous'/></memoryBacking>", /memfd/, true],
    ["<memoryBacking><access mode='private'/></memoryBacking>", /mode='shared'/, true],
    ["<memoryBacking><access mode='shared'/></memoryBacking>", /mode='shared'/, false],
    ["<cpu><numa><cell memAccess='shared'/></numa></cpu>", /memAccess/, false],
  ];
  for (const [parts, wanted, isChanged] of cases) {
    const document = new XmlDocument(domain("", parts));
    assert.equal(shareMemory(document), isChanged, parts);
    assert.match(document.toString(), wanted);
    assert.equal(hasSharedMemory(document), true);
    assert.equal(shareMemory(document), false);
  }
});

Deno.test("compareShares() tells where a share is, and what will differ", () => {
  const live = domain(share("a") + share("b", "<driver type='virtiofs'/>"));
  const next = domain(share("b") + share("c"));
  assert.notEqual(shareWithTag(new XmlDocument(live), "a"), undefined);
  assert.equal(shareWithTag(new XmlDocument(live), "c"), undefined);
  assert.deepEqual(
    compareShares(live, next).map(({ device: { tag }, place, pending }) => [tag, place, pending]),
    [
      ["a", "live", []],
      ["b", "both", [{ field: "driver", now: "virtiofs", next: "9p" }]],
      ["c", "next", []],
    ],
  );
});
