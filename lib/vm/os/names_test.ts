import assert from "node:assert/strict";
import { osName, osOf } from "./names.ts";

Deno.test("osName() spells known systems the way people do", () => {
  assert.equal(osName("debian12"), "Debian 12");
  assert.equal(osName("ubuntu24.04"), "Ubuntu 24.04");
  assert.equal(osName("win11"), "Windows 11");
  assert.equal(osName("win2k22"), "Windows Server 2022");
  assert.equal(osName("centos-stream9"), "CentOS Stream 9");
  assert.equal(osName("archlinux"), "Arch Linux");
  assert.equal(osName("linux2022"), "Generic Linux 2022");
});

Deno.test("osName() shows what it does not know as it is", () => {
  assert.equal(osName("templeos5"), "templeos5");
  assert.equal(osName("<b>"), "<b>");
});

Deno.test("osOf() falls back to the kind, and to nothing", () => {
  assert.equal(osOf({ osType: "windows" }), "Windows");
  assert.equal(osOf({ osType: "other" }), undefined);
  assert.equal(osOf({}), undefined);
});
