import assert from "node:assert/strict";
import { layoutOf } from "./layout.ts";
import { writeAr } from "../../formats/tar/ar.ts";
import { debControl, debScripts, packageFiles, rpmSpec } from "./package.ts";

const FACTS = { version: "1.2.3", arch: "x86_64", size: 4097 } as const;
const NONE = { binary: new Uint8Array(), guide: new Uint8Array(), history: new Uint8Array() };

Deno.test("writeAr() writes deb(5)'s container, each file at an even place", () => {
  const text = new TextDecoder().decode(writeAr([
    { name: "debian-binary", content: new TextEncoder().encode("2.0") },
    { name: "b", content: new TextEncoder().encode("xx") },
  ]));
  const head = (name: string, size: number) =>
    `${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}${
      String(size).padEnd(10)
    }\`\n`;
  assert.equal(text, `!<arch>\n${head("debian-binary", 3)}2.0\n${head("b", 2)}xx`);
  assert.throws(() => writeAr([{ name: "a-name-of-17-byte", content: new Uint8Array() }]), RangeError);
});

Deno.test("debControl() and debScripts() leave the work to the program", () => {
  assert.match(debControl(FACTS), /^Version: 1\.2\.3$/m);
  assert.match(debControl(FACTS), /^Installed-Size: 5$/m);
  const scripts = debScripts(layoutOf("/usr"));
  assert.deepEqual(Object.keys(scripts), ["postinst", "prerm", "postrm"]);
  assert.match(scripts.postinst!, /\/usr\/bin\/kvm-manager" install --package/);
});

Deno.test("rpmSpec() lists every file, settings as such", () => {
  const layout = layoutOf("/usr");
  const files = packageFiles(layout, NONE);
  const spec = rpmSpec(FACTS, layout, files, "/tree");
  for (const { path } of files) assert.ok(spec.includes(` ${path}\n`), path);
  assert.match(spec, /^%config\(noreplace\) %attr\(0640, root, root\) \/etc\/kvm-manager\/config\.toml$/m);
});
