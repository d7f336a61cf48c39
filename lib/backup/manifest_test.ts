import assert from "node:assert/strict";
import { type BackupManifest, copyIdAt, isCopyId, ManifestError, readManifest } from "./manifest.ts";

const digest = "0".repeat(64);
const manifest: BackupManifest = {
  format: "kvm-manager-backup",
  version: 1,
  id: "20261123-024140-e7734fb5",
  backup: { id: "b", name: "nightly" },
  run: { id: "r", startedAt: 1, actor: "ann" },
  host: "vm-host",
  takenAt: 2,
  vm: { id: "u", name: "web" },
  consistency: "frozen",
  chunkBytes: 2 * 1024 ** 2,
  disks: [{ target: "vda", format: "qcow2", bytes: 10, chunks: digest }],
  definition: digest,
  left: [],
  storedBytes: 5,
};

Deno.test("readManifest() takes what was written", () => {
  assert.deepEqual(readManifest(JSON.stringify(manifest)), manifest);
  const withTpm: BackupManifest = { ...manifest, tpm: [{ name: "tpm2-00.permall", digest }] };
  assert.deepEqual(readManifest(JSON.stringify(withTpm)), withTpm);
});

Deno.test("readManifest() refuses what would be a path, too large, or of a newer format", () => {
  const refused = (change: object, reason = /damaged/) =>
    assert.throws(() => readManifest(JSON.stringify({ ...manifest, ...change })), (error) => {
      assert.ok(error instanceof ManifestError);
      assert.match(error.message, reason);
      return true;
    });
  const [disk] = manifest.disks;
  refused({ disks: [{ ...disk, target: "../x" }] });
  refused({ disks: [{ ...disk, bytes: 2 ** 52 }] });
  refused({ disks: [{ ...disk, bytes: -1 }] });
  refused({ disks: [{ ...disk, bytes: 2 ** 50 }], chunkBytes: 65_536 }, /more chunks than can be read/);
  refused({ disks: [{ ...disk, format: "vmdk" }] });
  refused({ disks: [disk, disk] }, /names a disk twice/);
  refused({ id: "../../etc" });
  refused({ chunkBytes: 2 ** 40 });
  refused({ chunkBytes: 65_537 });
  const tpm = { name: "tpm2-00.permall", digest };
  for (const name of ["../tpm2-00.permall", "tpm2-01.permall", ".lock", "domain.xml"]) {
    refused({ tpm: [{ ...tpm, name }] });
  }
  refused({ tpm: [tpm, tpm] }, /names a file of its TPM twice/);
  refused({ tpm: [{ ...tpm, digest: "0" }] });
  refused({ version: 2 }, /newer KVM Manager/);
  assert.throws(() => readManifest("{"), /no JSON/);
  assert.throws(() => readManifest("null"), ManifestError);
});

Deno.test("the id of a copy says when it was taken, and is told from other names", () => {
  assert.equal(copyIdAt(Date.UTC(2026, 10, 23, 2, 41, 40), "e7734fb5"), manifest.id);
  assert.equal(isCopyId(manifest.id), true);
  for (const name of [`partial-${manifest.id}`, "..", "", `${manifest.id}/x`]) {
    assert.equal(isCopyId(name), false);
  }
});
