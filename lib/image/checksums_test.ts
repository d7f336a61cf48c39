import assert from "node:assert/strict";
import { checksumOf } from "./checksums.ts";

const A = "a".repeat(64), B = "b".repeat(64), C = "c".repeat(128);

Deno.test("checksumOf() reads GNU's, BSD's and bare files", () => {
  const find = (text: string, file = "disk.qcow2", source = "SUMS") => checksumOf(text, file, source);
  assert.deepEqual(find(`${B}  other\n${A}  disk.qcow2\n`), { algorithm: "sha256", hex: A });
  assert.deepEqual(find(`${A.toUpperCase()} *./disk.qcow2`), { algorithm: "sha256", hex: A });
  assert.deepEqual(find(`${A}  disk.qcow2\r\n`), { algorithm: "sha256", hex: A });
  const fedora = `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n# disk.qcow2: 12 bytes\n` +
    `SHA256 (disk.qcow2) = ${A}\n-----BEGIN PGP SIGNATURE-----\n\n${
      "iQ".repeat(32)
    }\n-----END PGP SIGNATURE-----\n`;
  assert.deepEqual(find(fedora), { algorithm: "sha256", hex: A });
  assert.deepEqual(find(`${A}  disk.qcow2\n${C}  disk.qcow2`), { algorithm: "sha512", hex: C });
  assert.deepEqual(find(`${C}\n`, "disk.qcow2", "disk.qcow2.sha512"), { algorithm: "sha512", hex: C });
});

Deno.test("checksumOf() takes a file's only sum where the file is the image's own", () => {
  const dated = `${A}  disk-20250101.qcow2`;
  assert.deepEqual(checksumOf(dated, "disk.qcow2", "disk.qcow2.SHA256"), { algorithm: "sha256", hex: A });
  assert.equal(checksumOf(dated, "disk.qcow2", "SHA256SUMS"), undefined);
  assert.equal(checksumOf(`${dated}\n${B}  x`, "disk.qcow2", "disk.qcow2.SHA256"), undefined);
});

Deno.test("checksumOf() finds nothing in what is no such file", () => {
  for (
    const text of ["", "<html></html>", `SHA512 (disk.qcow2) = ${A}`, `${A}0  disk.qcow2`, `${A}  DISK.qcow2`]
  ) {
    assert.equal(checksumOf(text, "disk.qcow2", "SUMS"), undefined, text);
  }
});

Deno.test("checksumOf() takes the line whose path fits, where a name is in several folders", () => {
  const lists = `${A}  ./netboot/mini.iso\n${B}  ./netboot/gtk/mini.iso\n`;
  const find = (path: string, text = lists) => {
    const found = checksumOf(text, path, "/images/SHA256SUMS");
    return typeof found === "object" ? found.hex : found;
  };
  for (const text of [lists, lists.split("\n").reverse().join("\n")]) {
    assert.equal(find("/images/netboot/mini.iso", text), A);
    assert.equal(find("/images/netboot/gtk/mini.iso", text), B);
    assert.equal(find("/images/gtk/mini.iso", text), "ambiguous");
    assert.equal(find("/mini.iso", text), "ambiguous");
    assert.equal(find("/images/notnetboot/mini.iso", text), "ambiguous");
  }
  const bare = `${A}  mini.iso\n${B}  gtk/mini.iso\n`;
  assert.equal(find("/images/mini.iso", bare), A);
  assert.equal(find("/images/gtk/mini.iso", bare), B);
  assert.equal(
    find("/images/mini.iso", `${A}  a/mini.iso\n${A.toUpperCase()}  b/mini.iso`),
    A,
    "one sum for both",
  );
  assert.equal(find("/x/mini.iso", `${A}  elsewhere/mini.iso`), A, "a mirror may have other folders");
  assert.equal(find("/x/mini.iso", `${A}  a/mini.iso\n${C}  a/mini.iso`), C);
  assert.equal(find("/x/mini.iso", `${A}  mini.iso\n${B}  mini.iso`), "ambiguous");
});
