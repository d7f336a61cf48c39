import assert from "node:assert/strict";
import { XmlDocument } from "./edit.ts";
import {
  hasOpenScreen,
  newScreenPassword,
  protectNewDomain,
  renewedScreens,
  withoutGeneratedPasswords,
} from "./screen_passwords.ts";
import { parseXml } from "./tree.ts";

const MARK = "<metadata><kvmm:vm xmlns:kvmm='urn:kvm-manager:vm:1' screen-passwords='generated'/></metadata>";
const domain = (devices: string, before = "") =>
  `<domain type='kvm'>${before}<devices>${devices}</devices></domain>`;
const passwords = (xml: string) => [...xml.matchAll(/ passwd='([^']*)'/g)].map((match) => match[1]);

Deno.test("newScreenPassword() uses every bit of its chance, and fits what QEMU takes", () => {
  assert.match(newScreenPassword("vnc"), /^[A-Za-z0-9_.]{8}$/);
  assert.match(newScreenPassword("spice"), /^[A-Za-z0-9_.]{24}$/);
  const seen = new Set(Array.from({ length: 256 }, (_, byte) => newScreenPassword("vnc", () => byte)));
  assert.equal(seen.size, 64);
  assert.notEqual(newScreenPassword("spice"), newScreenPassword("spice"));
});

Deno.test("hasOpenScreen() tells screens that listen on TCP without a password", () => {
  const open: readonly [string, boolean][] = [
    ["<graphics type='vnc' port='-1' autoport='yes'/>", true],
    ["<graphics type='vnc'><listen type='address' address='0.0.0.0'/></graphics>", true],
    ["<graphics type='spice'><listen type='network' network='n'/></graphics>", true],
    ["<graphics type='vnc'><listen type='socket'/><listen type='address'/></graphics>", true],
    ["<graphics type='vnc' passwd='a'/>", false],
    ["<graphics type='vnc' socket='/s'/>", false],
    ["<graphics type='vnc'><listen type='socket'/></graphics>", false],
    ["<graphics type='spice'><listen type='none'/></graphics>", false],
    ["<graphics type='egl-headless'/>", false],
    ["<graphics type='sdl' display=':0'/>", false],
    ["", false],
  ];
  for (const [xml, expected] of open) assert.equal(hasOpenScreen(parseXml(domain(xml))), expected, xml);
});

Deno.test("protectNewDomain() closes what is open, renews what was generated, and keeps what a person chose", () => {
  const after = (xml: string) => {
    const document = new XmlDocument(xml);
    protectNewDomain(document);
    return document.toString();
  };
  const opened = after(domain("<graphics type='vnc'/>"));
  assert.match(opened, /passwd='.{8}'/);
  assert.match(opened, /screen-passwords='generated'/);
  const generated = after(domain("<graphics type='vnc' passwd='former__'/>", MARK));
  assert.notDeepEqual(passwords(generated), ["former__"]);
  const chosen = domain("<graphics type='vnc' passwd='chosen'/>");
  assert.equal(after(chosen), chosen);
  const both = after(domain("<graphics type='vnc' passwd='chosen'/><graphics type='spice'/>"));
  assert.deepEqual(passwords(both)[0], "chosen");
  assert.match(passwords(both)[1]!, /^.{24}$/);
  assert.doesNotMatch(both, /generated/);
  const without = domain("<video/>");
  assert.equal(after(without), without);
});

Deno.test("renewedScreens() gives those whose password is in use, where passwords are generated", () => {
  const screens = (vnc: string, spice: string, mark = MARK) =>
    domain(
      `<graphics type='vnc' passwd='${vnc}'/><graphics type='spice' passwd='${spice}' passwdValidTo='2030-01-01T00:00:00'/>`,
      mark,
    );
  assert.equal(renewedScreens(screens("a", "b"), screens("a", "b")).length, 2);
  const [only, ...more] = renewedScreens(screens("a", "b"), screens("c", "b"));
  assert.deepEqual(more, []);
  assert.match(only!, /^<graphics type='spice' passwd='.{24}'\/>$/);
  assert.deepEqual(renewedScreens(screens("a", "b"), screens("c", "d")), []);
  assert.deepEqual(renewedScreens(screens("a", "b", ""), screens("a", "b", "")), []);
});

Deno.test("renewedScreens() gives those that have none, on and off, and leaves sockets alone", () => {
  const open = "<graphics type='vnc' port='-1'/><graphics type='spice' socket='/s'/>";
  for (const live of [null, domain("<graphics type='vnc' passwd='a'/>", MARK), domain(open, MARK)]) {
    const [only, ...more] = renewedScreens(live, domain(open, MARK));
    assert.match(only!, /^<graphics type='vnc' port='-1' passwd='.{8}'\/>$/);
    assert.deepEqual(more, []);
    assert.deepEqual(renewedScreens(live, domain(open)), []);
  }
  assert.deepEqual(renewedScreens(null, domain("<graphics type='vnc' passwd='a'/>", MARK)), []);
});

Deno.test("withoutGeneratedPasswords() leaves what a person chose", () => {
  const generated = domain("<graphics type='vnc' passwd='a'/>", MARK);
  assert.equal(withoutGeneratedPasswords(generated), domain("<graphics type='vnc'/>", MARK));
  const chosen = domain("<graphics type='vnc' passwd='a'/>");
  assert.equal(withoutGeneratedPasswords(chosen), chosen);
});
