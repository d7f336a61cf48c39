import assert from "node:assert/strict";
import { XmlDocument } from "./edit.ts";
import { sameDevice } from "./same_device.ts";

const card = (slot: number) =>
  `<interface type='network'><mac address='52:54:00:00:00:0A'/><source network='n${slot}'/>` +
  `<address type='pci' slot='0x0${slot}'/></interface>`;
const usb = (product: string) =>
  `<hostdev mode='subsystem' type='usb'><source><vendor id='0x1'/><product id='${product}'/></source></hostdev>`;
const DOCUMENT = new XmlDocument(
  `<domain><devices><disk><target dev='vda'/></disk><disk><target dev='vdb'/><serial>b</serial></disk>` +
    `${card(3)}${card(4)}<filesystem><target dir='data'/></filesystem>${usb("0x2")}${usb("0x3")}` +
    `<controller type='scsi' index='0' model='virtio-scsi'/><controller type='usb' index='0'/></devices></domain>`,
);
const found = (xml: string) => {
  const element = sameDevice(DOCUMENT, xml);
  return element && DOCUMENT.sourceOf(element);
};

Deno.test("sameDevice() finds a device by what libvirt tells it by, however it is changed", () => {
  assert.match(found("<disk><source file='/other'/><target dev='vdb'/></disk>") ?? "", /<serial>b/);
  assert.match(
    found(card(4).replace("n4", "other").replace("0A", "0a")) ?? "",
    /n4/,
    "of two, the one in its place",
  );
  assert.match(found("<filesystem><source dir='/x'/><target dir='data'/></filesystem>") ?? "", /data/);
  assert.match(found("<controller type='scsi' index='0'/>") ?? "", /virtio-scsi/);
  assert.match(found(usb("0x3")) ?? "", /0x3/);
});

Deno.test("sameDevice() finds none where there is none", () => {
  for (const xml of ["<disk><target dev='vdc'/></disk>", usb("0x4"), "<controller type='scsi' index='1'/>"]) {
    assert.equal(found(xml), undefined, xml);
  }
  assert.throws(() => found("<panic/>"), TypeError);
});
