import assert from "node:assert/strict";
import { foundSources, sourceSpecXml } from "./pool.ts";

Deno.test("foundSources() reads exports, targets and volume groups", () => {
  assert.deepEqual(
    foundSources(`<sources>
  <source><host name='nas'/><dir path='/export/a &amp; b'/><format type='nfs'/></source>
  <source><host name='2001:db8::1' port='3260'/><device path='iqn.2020-01.org.example:disk'/></source>
  <source><device path='/dev/sda2'/><device path='/dev/sdb'/><name>vg0</name><format type='lvm2'/></source>
</sources>`),
    [
      { sourceHost: "nas", sourcePath: "/export/a & b" },
      { sourceHost: "[2001:db8::1]:3260", device: "iqn.2020-01.org.example:disk" },
      { sourceName: "vg0" },
    ],
  );
  assert.deepEqual(foundSources("<sources/>"), []);
});

Deno.test("sourceSpecXml() escapes and takes the port apart", () => {
  assert.equal(sourceSpecXml("nas:2049"), "<source>\n  <host name='nas' port='2049'/>\n</source>");
  assert.equal(sourceSpecXml("<x>"), "<source>\n  <host name='&#60;x&#62;'/>\n</source>");
});
