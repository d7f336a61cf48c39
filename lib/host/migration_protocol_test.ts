import assert from "node:assert/strict";
import {
  migrationLineOf,
  migrationLinePath,
  MigrationNonsense,
  MigrationRefusal,
  readAnswer,
  readQuestion,
  socketOf,
} from "./migration_protocol.ts";

const VM = { vmId: "v", live: "<domain/>", next: "<domain/>", autostart: false, isOff: false, disks: [] };

Deno.test("readQuestion() takes what is asked, and nothing that leads elsewhere", () => {
  assert.deepEqual(readQuestion(JSON.stringify({ do: "prepare" })), { do: "prepare" });
  assert.deepEqual(readQuestion(JSON.stringify({ do: "look", vm: VM })), { do: "look", vm: VM });
  const disk = (name: string) => ({ target: "vda", size: 1, mark: { name, content: "c".repeat(43) } });
  const asked = (disks: readonly object[]) => () =>
    readQuestion(JSON.stringify({ do: "look", vm: { ...VM, disks } }));
  asked([disk(`.kvm-manager-${"a".repeat(32)}`)])();
  for (
    const wrong of [
      ...["../../etc/shadow", "shadow", `.kvm-manager-${"a".repeat(31)}/`].map((name) => asked([disk(name)])),
      asked(Array.from({ length: 65 }, () => disk(`.kvm-manager-${"a".repeat(32)}`))),
      () => readQuestion("{"),
      () => readQuestion(JSON.stringify({ do: "look", vm: { ...VM, more: 1 } })),
      () => readQuestion(JSON.stringify({ do: "delete" })),
    ]
  ) assert.throws(wrong, MigrationNonsense);
});

Deno.test("readAnswer() takes folders of sockets alone, and tells a refusal from nonsense", () => {
  const ready = {
    secret: "s".repeat(43),
    folder: `/run/libvirt/qemu/kvm-manager-${"0".repeat(16)}`,
    live: "<a/>",
    next: "<b/>",
  };
  assert.deepEqual(readAnswer("prepare", JSON.stringify(ready)), ready);
  for (
    const folder of [
      "/etc",
      "/run/libvirt/qemu/kvm-manager-0000000000000000/..",
      "kvm-manager-0000000000000000",
    ]
  ) {
    assert.throws(() => readAnswer("prepare", JSON.stringify({ ...ready, folder })), MigrationNonsense);
  }
  assert.throws(() => readAnswer("find", JSON.stringify({ state: "gone" })), MigrationNonsense);
  const error = { code: "VmNotMovable", message: "no" };
  assert.throws(() => readAnswer("look", JSON.stringify({ error })), MigrationRefusal);
});

Deno.test("socketOf() has the name that AppArmor lets QEMU open, where a socket's path can hold it", () => {
  const folder = `/run/libvirt/qemu/kvm-manager-${"0".repeat(16)}`;
  assert.equal(socketOf(folder, "disks", "web1"), `${folder}/disks.tunnelmigrate.dest.web1`);
  for (const name of ["w".repeat(60), "a/b", "ü".repeat(30)]) {
    assert.equal(socketOf(folder, "memory", name), `${folder}/memory`);
  }
});

Deno.test("migrationLineOf() knows the paths of lines and no others", () => {
  assert.equal(migrationLineOf(migrationLinePath("disks")), "disks");
  for (const path of ["/api/link/migrations", "/api/link/migrations/", "/api/link/migrations/disks/x"]) {
    assert.equal(migrationLineOf(path), undefined);
  }
});
