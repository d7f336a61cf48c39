import assert from "node:assert/strict";
import {
  bandwidthParameters,
  diskLimitsOf,
  ioTuneParameters,
  limitedWith,
  nicLimitsOf,
  setDiskLimits,
  setNicLimits,
} from "./device_limits.ts";
import { XmlDocument } from "./edit.ts";
import { parseXml } from "./tree.ts";

const DISK = `<disk type='file'>
  <target dev='vda'/>
  <iotune>
    <total_bytes_sec>1000</total_bytes_sec>
    <read_iops_sec>0</read_iops_sec>
    <write_iops_sec_max_length>3</write_iops_sec_max_length>
    <size_iops_sec>4096</size_iops_sec>
    <group_name>a &amp; b</group_name>
  </iotune>
</disk>`;

Deno.test("diskLimitsOf() reads what is set", () => {
  assert.deepEqual(diskLimitsOf(parseXml(DISK)), { totalBytesSec: 1000, writeIopsSecMaxLength: 3 });
  assert.deepEqual(diskLimitsOf(parseXml("<disk/>")), {});
  // A running VM has this length where none is stored: that is no difference.
  const second = "<total_bytes_sec_max_length>1</total_bytes_sec_max_length>";
  assert.deepEqual(diskLimitsOf(parseXml(`<disk><iotune>${second}</iotune></disk>`)), {});
});

Deno.test("limitedWith() names the other disks of a group", () => {
  const disk = (target: string, group: string) =>
    `<disk><target dev='${target}'/><iotune>${group && `<group_name>${group}</group_name>`}</iotune></disk>`;
  const domain = parseXml(
    `<domain><devices>${disk("vda", "g")}${disk("vdb", "g")}${disk("vdc", "h")}${disk("vdd", "")}${
      disk("vde", "")
    }</devices></domain>`,
  );
  assert.deepEqual(limitedWith(domain, "vda"), ["vdb"]);
  assert.deepEqual(limitedWith(domain, "vdc"), []);
  assert.deepEqual(limitedWith(domain, "vdd"), []);
});

Deno.test("setDiskLimits() keeps what it does not know, and drops what QEMU takes with a limit of operations alone", () => {
  const document = new XmlDocument(DISK);
  setDiskLimits(document, () => document.root, { readIopsSec: 5 });
  assert.deepEqual(diskLimitsOf(document.root), { readIopsSec: 5 });
  assert.match(document.toString(), /<size_iops_sec>4096</);
  assert.match(document.toString(), /<group_name>a &#38; b</);
  setDiskLimits(document, () => document.root, { readBytesSec: 5 });
  assert.doesNotMatch(document.toString(), /size_iops_sec/);
});

Deno.test("setDiskLimits() removes and makes the element", () => {
  const document = new XmlDocument("<disk><iotune><read_bytes_sec>5</read_bytes_sec></iotune></disk>");
  setDiskLimits(document, () => document.root, {});
  assert.equal(document.toString(), "<disk></disk>");
  setDiskLimits(document, () => document.root, { writeIopsSecMax: 9 });
  assert.match(document.toString(), /<iotune>\s*<write_iops_sec_max>9<\/write_iops_sec_max>\s*<\/iotune>/);
});

Deno.test("ioTuneParameters() names every limit, so that none of before is left", () => {
  const all = ioTuneParameters({ readBytesSec: 5 });
  assert.deepEqual([all.read_bytes_sec, all.total_iops_sec_max_length, all.size_iops_sec], [5, 0, 0]);
  assert.equal(Object.hasOwn(ioTuneParameters({ readIopsSec: 1 }), "size_iops_sec"), false);
});

const NIC = `<interface>
  <bandwidth>
    <inbound average='5' peak='6' floor='2'/>
    <outbound average='7'/>
  </bandwidth>
</interface>`;

Deno.test("limits of an interface are read and written, and its floor stays", () => {
  const document = new XmlDocument(NIC);
  assert.deepEqual(nicLimitsOf(document.root), { inboundAverage: 5, inboundPeak: 6, outboundAverage: 7 });
  assert.deepEqual(bandwidthParameters(document.root, { outboundBurst: 1 }), {
    "inbound.average": 0,
    "inbound.peak": 0,
    "inbound.burst": 0,
    "outbound.average": 0,
    "outbound.peak": 0,
    "outbound.burst": 1,
    "inbound.floor": 2,
  });
  setNicLimits(document, () => document.root, { outboundAverage: 8, outboundBurst: 9 });
  assert.match(document.toString(), /<inbound floor='2'\/>\s*<outbound average='8' burst='9'\/>/);
  const other = new XmlDocument("<interface><bandwidth><inbound average='5'/></bandwidth></interface>");
  setNicLimits(other, () => other.root, {});
  assert.equal(other.toString(), "<interface></interface>");
});
