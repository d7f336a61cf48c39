import assert from "node:assert/strict";
import type { CatalogImage, Image, StoragePool } from "../contract/mod.ts";
import {
  byArchitecture,
  checksumIn,
  type ImageFilter,
  imagePage,
  imageQuery,
  imagesHref,
  initialsOf,
  poolsForImages,
} from "./images.ts";
import { newVmHref } from "./new_vm_href.ts";

const image = (name: string, change: Partial<Image> = {}): Image => ({
  pool: "default",
  name,
  path: `/p/${name}`,
  kind: "disk",
  sizeBytes: 1,
  virtualBytes: 1,
  usedBy: [],
  isBase: false,
  ...change,
});

Deno.test("imageQuery() and imagesHref() are each other's inverse, and hold against nonsense", () => {
  for (
    const href of ["/images", "/images?kind=iso", "/images?kind=free&q=a+b&page=3", "/images?vmDisks=yes"]
  ) {
    assert.equal(imagesHref(imageQuery(new URL(href, "http://x").searchParams)), href);
  }
  const odd = imageQuery(new URLSearchParams("kind=x&page=-1&q=%20"));
  assert.deepEqual(odd, { kind: "library", vmDisks: false, q: "", page: 1 });
});

Deno.test("imagePage() narrows by kind, use and words, and cuts into pages", () => {
  const images = [
    image("b.iso", { kind: "iso", osName: "Debian 12" }),
    image("a.qcow2", { usedBy: [{ vmId: "1", name: "web-01" }] }),
    image("base.qcow2", { isBase: true }),
  ];
  const names = (q: string, kind: ImageFilter = "library") =>
    imagePage(images, { kind, q, page: 1 }).rows.map(({ name }) => name);
  assert.deepEqual(names(""), ["a.qcow2", "b.iso", "base.qcow2"]);
  assert.deepEqual(names("", "iso"), ["b.iso"]);
  assert.deepEqual(names("", "free"), ["b.iso"]);
  assert.deepEqual(names("", "disk"), ["a.qcow2", "base.qcow2"]);
  assert.deepEqual(names("WEB", "disk"), ["a.qcow2"]);
  assert.deepEqual(names("debian"), ["b.iso"]);
  const many = Array.from({ length: 250 }, (_, index) => image(`x${String(index).padStart(3, "0")}`));
  const last = imagePage(many, { kind: "library", q: "", page: 9 });
  assert.deepEqual([last.rows.length, last.matching, last.page, last.pages], [50, 250, 3, 3]);
});

Deno.test("newVmHref() names the image as create_vm takes it", () => {
  assert.equal(newVmHref(image("a b.iso", { kind: "iso" })), "/vms/new?iso=default%2Fa+b.iso");
  assert.equal(newVmHref(image("x.qcow2")), "/vms/new?disk=default%2Fx.qcow2");
  assert.equal(newVmHref(image("x.qcow2"), "cloud"), "/vms/new?cloud=default%2Fx.qcow2");
});

Deno.test("byArchitecture() keeps what the host runs apart; where that is not known, nothing is", () => {
  const of = (id: string, arch: string) => ({ id, arch }) as CatalogImage;
  const catalog = [of("a", "aarch64"), of("b", "x86_64"), of("c", "aarch64")];
  const ids = (arch?: string) => {
    const { fitting, other } = byArchitecture(catalog, arch);
    return [fitting, other].map((list) => list.map(({ id }) => id).join(""));
  };
  assert.deepEqual(ids("x86_64"), ["b", "ac"]);
  assert.deepEqual(ids("riscv64"), ["", "abc"]);
  assert.deepEqual(ids(), ["abc", ""]);
});

Deno.test("initialsOf() are two letters of a name, whatever stands before them", () => {
  assert.deepEqual(["Debian 13", "openSUSE Leap", "9front", "X", "—", ""].map(initialsOf), [
    "De",
    "Op",
    "Fr",
    "X",
    "",
    "",
  ]);
});

Deno.test("checksumIn() reads what people paste as a checksum", () => {
  const short = "a".repeat(64), long = "b".repeat(128);
  assert.deepEqual(checksumIn(`${short}  disk.img`), { sha256: short });
  assert.deepEqual(checksumIn(long), { sha512: long });
  assert.deepEqual(checksumIn("https://x/SHA256SUMS"), { checksumUrl: "https://x/SHA256SUMS" });
});

Deno.test("poolsForImages() are the running ones that keep files, default first", () => {
  const pool = (name: string, type = "dir", state = "running") => ({ name, type, state }) as StoragePool;
  const pools = [
    pool("b"),
    pool("lvm", "logical"),
    pool("off", "dir", "inactive"),
    pool("default"),
    pool("a"),
  ];
  assert.deepEqual(poolsForImages(pools), ["default", "a", "b"]);
});
