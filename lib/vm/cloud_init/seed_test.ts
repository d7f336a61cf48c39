import assert from "node:assert/strict";
import type { CloudInit } from "../../contract/cloud_init.ts";
import { readIso } from "../../formats/iso9660/read.ts";
import { writeIso } from "../../formats/iso9660/write.ts";
import { documentsOf } from "./documents.ts";
import { readSeed, SeedFault, writeSeed } from "./seed.ts";

const NOW = 1_700_000_000_000;
const SUBJECT = { vmName: "web", instanceId: "kvmm-1", macs: ["52:54:00:00:00:01"] };
const CASES: readonly CloudInit[] = [
  { form: { hostname: "web", users: [{ name: "ann", passwordHash: "$6$a$b" }] } },
  { form: {}, network: [{ addresses: ["192.0.2.1/24"] }], metaData: { role: "web" } },
  { userData: "#cloud-config\n# mine\n", networkConfig: "version: 2\n" },
  { userData: "#cloud-config\npackages: [a]\n", network: [{ dhcp6: true }] },
];

Deno.test("writeSeed() and readSeed() are a round trip of what was said", () => {
  for (const cloudInit of CASES) {
    const files = documentsOf(cloudInit, SUBJECT);
    const seed = readSeed(writeSeed(cloudInit, files, NOW));
    assert.deepEqual(seed, { cloudInit, files, instanceId: "kvmm-1", changedAt: NOW });
  }
});

Deno.test("readSeed() reads a seed of another program as whole documents", () => {
  const encode = (text: string) => new TextEncoder().encode(text);
  const iso = (volumeId: string, files: Record<string, string>) =>
    writeIso({
      volumeId,
      date: new Date(NOW),
      permissions: 0o444,
      files: Object.entries(files).map(([name, text]) => ({ name, bytes: encode(text) })),
    });
  const userData = "#cloud-config\n", metaData = "instance-id: i-1\n";
  const seed = readSeed(iso("CIDATA", { "user-data": userData, "meta-data": metaData }));
  assert.deepEqual(seed, {
    cloudInit: { userData },
    files: { userData, metaData },
    instanceId: "i-1",
    changedAt: undefined,
  });
  const strange = {
    "user-data": userData,
    "kvm-manager.json": '{"version":2,"cloudInit":{"form":{"new":1}}}',
  };
  assert.deepEqual(readSeed(iso("cidata", strange)).cloudInit, { userData });
  assert.throws(() => readSeed(iso("other", { "user-data": userData })), SeedFault);
  assert.throws(() => readSeed(iso("cidata", {})), SeedFault);
});

Deno.test("writeSeed() has a vendor's script in addition to the user's data, and the user's documents do not change", () => {
  const script = "#!/bin/sh\ntrue\n";
  for (const cloudInit of CASES) {
    const files = documentsOf(cloudInit, SUBJECT);
    const bytes = writeSeed(cloudInit, files, NOW, script);
    assert.equal(new TextDecoder().decode(readIso(bytes).files.get("vendor-data")), script);
    assert.deepEqual(readSeed(bytes), { cloudInit, files, instanceId: "kvmm-1", changedAt: NOW });
    assert.equal(readIso(writeSeed(cloudInit, files, NOW)).files.has("vendor-data"), false);
  }
});
