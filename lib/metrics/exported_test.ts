import assert from "node:assert/strict";
import { exportedFamilies, type ExportedVm } from "./exported.ts";
import { exposition } from "../formats/exposition.ts";

const off: ExportedVm = {
  name: "web",
  id: "u-1",
  state: 5,
  virtualCpus: 2,
  memoryBytes: 1024,
  maximumMemoryBytes: 2048,
  bridgeOf: () => undefined,
};

const text = (vms: ExportedVm[], pools = [] as Parameters<typeof exportedFamilies>[1]) =>
  [...exposition(exportedFamilies(vms, pools), "prometheus")].join("");

Deno.test("exportedFamilies() has the names of prometheus-libvirt-exporter, in its units", () => {
  const reading = {
    "cpu.time": 2_500_000_000,
    "balloon.rss": 1024,
    "vcpu.maximum": 1,
    "vcpu.0.delay": 1e9,
    "block.count": 1,
    "block.0.name": "vda",
    "block.0.path": '/images/a"b.qcow2',
    "block.0.rd.bytes": 7,
    "block.0.wr.times": 5e8,
    "net.count": 1,
    "net.0.name": "vnet3",
    "net.0.rx.drop": 4,
  };
  const found = text([{ ...off, state: 1, reading, bridgeOf: () => "virbr0" }], [
    { name: "default", capacity: 100, allocation: 30 },
  ]);
  for (
    const line of [
      'libvirt_domain_info_cpu_time_seconds_total{domain="web"} 2.5',
      'libvirt_domain_info_maximum_memory_bytes{domain="web"} 2048',
      'libvirt_domain_info_memory_usage_bytes{domain="web"} 1024',
      'libvirt_domain_info_virtual_cpus{domain="web"} 2',
      'libvirt_domain_info_meta{domain="web",uuid="u-1"} 1',
      'libvirt_domain_memory_stats_rss_bytes{domain="web"} 1048576',
      'libvirt_domain_vcpu_delay_seconds_total{domain="web",vcpu="0"} 1',
      'libvirt_domain_block_stats_read_bytes_total{domain="web",source_file="/images/a\\"b.qcow2",target_device="vda"} 7',
      'libvirt_domain_block_stats_write_time_seconds_total{domain="web",source_file="/images/a\\"b.qcow2",target_device="vda"} 0.5',
      'libvirt_domain_interface_stats_receive_drops_total{domain="web",source_bridge="virbr0",target_device="vnet3"} 4',
      'libvirt_pool_info_available_bytes{pool="default"} 70',
    ]
  ) {
    assert.ok(found.split("\n").includes(line), `${line}\n${found}`);
  }
});

Deno.test("exportedFamilies() has no counters of a VM without a reading, and none twice", () => {
  const found = text([off, { ...off, host: "lab" }]);
  assert.doesNotMatch(found, /_total/);
  assert.match(found, /^libvirt_domain_info_vstate\{domain="web"\} 5$/m);
  assert.match(found, /^libvirt_domain_info_vstate\{domain="web",host="lab"\} 5$/m);
  const twice = { "net.count": 2, "net.0.rx.drop": 4, "net.1.rx.drop": 5 };
  const drops = text([{ ...off, reading: twice }]).match(
    /^libvirt_domain_interface_stats_receive_drops_total.*$/gm,
  );
  assert.equal(drops?.length, 1);
});

Deno.test("exportedFamilies() bounds how many parts a VM has", () => {
  const found = text([{ ...off, reading: { "vcpu.maximum": 1e9, "vcpu.0.time": 1e9, "vcpu.300.time": 1 } }]);
  assert.match(found, /vcpu_time_seconds_total\{domain="web",vcpu="0"\} 1/);
  assert.doesNotMatch(found, /vcpu="300"/);
});
