import assert from "node:assert/strict";
import { type InstallLook, installRefusal, readLook } from "./install_look.ts";

const LINES = [
  "architecture=x86_64",
  "libc=glibc 2.36",
  "systemd=yes",
  "libvirt=yes",
  "part=config",
  "room=/dev/sda1 1000 500 300000 50% /",
  "room=/dev/sda1 1000 500 300000 50% /",
  "room=tmpfs 1000 500 200000 50% /var/my lib",
];

Deno.test("readLook() reads what a host says, room by mount points", () => {
  assert.deepEqual(readLook(LINES.join("\n")), {
    architecture: "x86_64",
    hasGlibc: true,
    hasSystemd: true,
    hasLibvirt: true,
    program: undefined,
    isBegun: false,
    parts: ["config"],
    copied: "",
    rooms: [
      { mount: "/", freeBytes: 307_200_000, copies: 6 },
      { mount: "/var/my lib", freeBytes: 204_800_000, copies: 1 },
    ],
  });
  const sha256 = "ab".repeat(32);
  const begun = readLook(
    `begun=yes\ncopied=${sha256}\nprogram=/usr/local/bin/kvm-manager\nnonsense\n=\nroom=`,
  );
  assert.deepEqual([begun.isBegun, begun.copied, begun.program, begun.parts], [
    true,
    sha256,
    "/usr/local/bin/kvm-manager",
    [],
  ]);
});

Deno.test("readLook() takes no more of a hostile host than it may say", () => {
  const { architecture, program, parts, copied, rooms } = readLook(
    `architecture=${"\u001b]0;x\u0007".repeat(9000)}\nprogram=/bin/sh -c x\ncopied=${"z".repeat(64)}\n` +
      "part=../etc\n".repeat(50_000) + "room=x 1 1 1 1 /late",
  );
  assert.ok(architecture.length <= 300 && !/\p{Cc}/u.test(architecture));
  assert.deepEqual([program, parts, copied, rooms], [undefined, [], "", []]);
});

Deno.test("installRefusal() says what is in the way", () => {
  const look = readLook(LINES.join("\n"));
  const why = (change: Partial<InstallLook>, size = 50_000_000) =>
    installRefusal({ ...look, ...change }, "x86_64", size);
  assert.equal(why({}), undefined);
  assert.match(why({ architecture: "aarch64" })!, /the host is aarch64, and .* built for x86_64/);
  assert.match(why({ architecture: "" })!, /unknown architecture/);
  assert.match(why({ hasGlibc: false })!, /glibc/);
  assert.match(why({ hasSystemd: false })!, /systemd/);
  assert.match(why({ hasLibvirt: false })!, /apt-get install libvirt-daemon-system/);
  assert.equal(why({}, 60_000_000), "/ has 307 MB free there, and 360 MB are needed");
  // What cannot be read is no room
  assert.match(
    installRefusal(readLook(LINES.slice(0, 5).join("\n") + "\nroom=?"), "x86_64", 1)!,
    /0 MB free/,
  );
});
