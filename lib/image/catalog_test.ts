import assert from "node:assert/strict";
import { builtinCatalog, CatalogError, readImageCatalog } from "./catalog.ts";

Deno.test("builtinCatalog() has the distributions that were promised, each with a checksum over https", () => {
  const images = builtinCatalog();
  for (
    const system of ["debian", "ubuntu", "fedora", "almalinux", "rocky", "opensuse", "archlinux", "alpine"]
  ) {
    assert.ok(images.some(({ id }) => id.startsWith(system)), system);
  }
  for (const { id, url, checksumUrl } of images) {
    assert.match(url, /^https:\/\/[^@?#]+$/, id);
    assert.match(checksumUrl ?? "", /^https:\/\//, id);
  }
});

Deno.test("readImageCatalog() names what is wrong", () => {
  const image = { id: "x", name: "X", arch: "x86_64", url: "https://mirror/x.qcow2", format: "qcow2" };
  assert.equal(readImageCatalog({ images: [image] }).length, 1);
  const wrong = (value: unknown, text: RegExp) =>
    assert.throws(
      () => readImageCatalog(value),
      (error) => error instanceof CatalogError && text.test(error.message),
    );
  wrong([], /the file/);
  wrong({ images: [{ ...image, url: "file:///etc/shadow" }] }, /\/images\/0\/url/);
  wrong({ images: [{ ...image, format: "vmdk" }] }, /\/images\/0\/format/);
  wrong({ images: [{ ...image, published: "2026-13-01" }] }, /\/images\/0\/published/);
  wrong({ images: [{ ...image, sizeBytes: 0 }] }, /\/images\/0\/sizeBytes/);
  wrong({ images: [{ ...image, more: 1 }] }, /images\/0/);
  wrong({ images: [image, image] }, /the id x is there twice/);
});
