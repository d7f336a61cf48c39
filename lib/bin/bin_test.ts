import assert from "node:assert/strict";
import { XmlDocument } from "../formats/xml/edit.ts";
import { restoreDefinition } from "./definition.ts";
import { bytesIn, entryBytes, type KeptFile, type StoredEntry } from "./entry.ts";
import { readNote, writeNote } from "./note.ts";
import { entryOfNote, freeFileName, isInBin, joinPath, keptName, noteName, splitPath } from "./place.ts";
import { DAY_MS } from "../duration.ts";
import { expired, lacking, makeRoom } from "./retention.ts";

const ID = "8c1f0d66-0f7d-4a0f-9d2e-6d5f3b1e2a10";

const file = (path: string, more: Partial<KeptFile> = {}): KeptFile => ({
  path,
  as: `${ID}.0`,
  role: "disk",
  file: { dev: 1, ino: 2 },
  pool: "default",
  bytes: 100,
  backing: [],
  ...more,
});

const entry = (more: Partial<StoredEntry> = {}): StoredEntry => ({
  id: ID,
  host: "local",
  kind: "volume",
  name: "default/a.qcow2",
  deletedAt: 0,
  until: 7 * DAY_MS,
  deletedBy: "ann",
  files: [file("/images/a.qcow2")],
  lost: [],
  found: false,
  state: "kept",
  ...more,
});

Deno.test("the bin of a folder is known by its name, wherever it is in a path", () => {
  assert.equal(isInBin("/images/.kvm-manager-bin/x.0"), true);
  assert.equal(isInBin("/images/.kvm-manager-bin"), true);
  assert.equal(isInBin("/images/my.kvm-manager-bin/x"), false);
  assert.deepEqual(splitPath("/images/a b"), { folder: "/images", name: "a b" });
  assert.deepEqual(splitPath("/a"), { folder: "/", name: "a" });
  assert.equal(joinPath("/", "a"), "/a");
  assert.equal(entryOfNote(noteName(ID)), ID);
  assert.equal(entryOfNote(keptName(ID, 0)), undefined);
  assert.equal(entryOfNote("../../etc/passwd.json"), undefined);
});

Deno.test("a free name keeps what follows its dot, and counts on", () => {
  assert.equal(freeFileName("web1", () => false), "web1-restored");
  assert.equal(freeFileName("a.b.qcow2", () => false), "a.b-restored.qcow2");
  assert.equal(freeFileName(".hidden", () => false), ".hidden-restored");
  const taken = new Set(["a-restored.img", "a-restored-2.img"]);
  assert.equal(freeFileName("a.img", (name) => taken.has(name)), "a-restored-3.img");
});

Deno.test("an entry goes when its time is over, and never on its way", () => {
  const due = entry({ until: 10 }),
    later = entry({ until: 11 }),
    moving = entry({ until: 1, state: "moving" });
  assert.deepEqual(expired([due, later, moving], 10), [due]);
});

Deno.test("room is made of the oldest in that pool, and of no more than it takes", () => {
  const old = entry({ deletedAt: 1 }), young = entry({ deletedAt: 3 });
  const other = entry({ deletedAt: 0, files: [file("/x/b", { pool: "other" })] });
  const moving = entry({ deletedAt: 0, state: "moving" });
  const all = [young, other, moving, old];
  assert.deepEqual(makeRoom(all, "default", 1), [old]);
  assert.deepEqual(makeRoom(all, "default", 101), [old, young]);
  assert.deepEqual(makeRoom(all, "default", 10_000), [old, young]);
  assert.deepEqual(makeRoom(all, "default", 0), []);
  assert.equal(bytesIn(other, "default"), 0);
  assert.equal(entryBytes(other), 100);
});

Deno.test("a pool lacks what its free share is short of", () => {
  assert.equal(lacking({ capacity: 1000, available: 30 }, 5), 20);
  assert.equal(lacking({ capacity: 1000, available: 50 }, 5), 0);
  assert.equal(lacking({ capacity: 1000, available: 0 }, 0), 0);
});

Deno.test("a note speaks for the files next to it alone", () => {
  const outside = file("/etc/shadow", { as: `${ID}.1` });
  const told = entry({ files: [file("/images/a.qcow2"), outside, file("/images/b", { as: "../b" })] });
  // What a schema refuses is no note
  assert.equal(readNote(writeNote(told), ID, "/images"), undefined);
  const read = readNote(writeNote(entry({ files: [file("/images/a.qcow2"), outside] })), ID, "/images");
  assert.deepEqual(read?.files.map(({ path }) => path), ["/images/a.qcow2"]);
  assert.equal(read?.found, true);
  for (const text of ["", "{", "[]", '{"version":2}', writeNote(entry({ id: ID.replace("8", "9") }))]) {
    assert.equal(readNote(text, ID, "/images"), undefined, text);
  }
});

const XML = `<domain type="kvm"><name>web</name><uuid>${ID}</uuid>
  <os><type>hvm</type><nvram>/nvram/web_VARS.fd</nvram></os>
  <devices>
    <disk type="file" device="disk"><source file="/images/web.qcow2"/><target dev="vda"/></disk>
    <disk type="volume" device="disk"><source pool="default" volume="data.img"/><target dev="vdb"/></disk>
    <interface type="network"><mac address="52:54:00:00:00:01"/></interface>
  </devices></domain>`;

Deno.test("a definition comes back as it was, to the byte", () => {
  const document = new XmlDocument(XML);
  restoreDefinition(document, { uuid: ID, name: "web", newMacs: false, moved: [] }, []);
  assert.equal(document.toString(), new XmlDocument(XML).toString());
});

Deno.test("a definition comes back under another name, with what others have by now replaced", () => {
  const document = new XmlDocument(XML), uuid = ID.replace("8", "9");
  restoreDefinition(document, {
    uuid,
    name: "web-2",
    newMacs: true,
    moved: [
      ["/images/web.qcow2", "/images/web-2.qcow2"],
      ["/images/data.img", "/images/data-2.img"],
      ["/nvram/web_VARS.fd", "/nvram/web-2_VARS.fd"],
    ],
  }, [file("/images/data.img")]);
  const text = document.toString();
  for (
    const part of [
      `<uuid>${uuid}</uuid>`,
      "/images/web-2.qcow2",
      "volume='data-2.img'",
      "/nvram/web-2_VARS.fd",
    ]
  ) {
    assert.ok(text.includes(part), `${part} in ${text}`);
  }
  assert.doesNotMatch(text, /mac address/);
});

Deno.test("a file that has another name is renamed in its own pool alone, in what is built on it, too, and once", () => {
  const file = (name: string) =>
    `<disk type='file'><source file='${name}'/><backingStore type='file'><source file='/p/d'/>` +
    "<backingStore type='volume'><source pool='p' volume='d'/></backingStore></backingStore></disk>";
  const volume = (pool: string, name: string) =>
    `<disk type='volume'><source pool='${pool}' volume='${name}'/></disk>`;
  const domain = (...all: string[]) =>
    `<domain><name>web</name><uuid>${ID}</uuid><devices>${all.join("")}</devices></domain>`;
  const document = new XmlDocument(domain(file("/p/e"), volume("p", "d"), volume("q", "d")));
  restoreDefinition(document, {
    uuid: ID,
    name: "web",
    newMacs: false,
    moved: [["/p/d", "/p/e"], ["/p/e", "/p/f"]],
  }, [{ path: "/p/d", pool: "p" }, { path: "/p/e", pool: "p" }, { path: "/q/d", pool: "q" }]);
  const renamed = file("/p/f").replace("'/p/d'", "'/p/e'").replace("volume='d'", "volume='e'");
  assert.equal(
    document.toString(),
    new XmlDocument(domain(renamed, volume("p", "e"), volume("q", "d"))).toString(),
  );
});
