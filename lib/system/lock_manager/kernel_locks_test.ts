import assert from "node:assert/strict";
import { lockedFile, processLocks } from "./kernel_locks.ts";

Deno.test("processLocks() has locks of processes, not QEMU's own, nor what waits", () => {
  const text = `1: POSIX  ADVISORY  WRITE 105 fe:00:15343619 0 0
2: OFDLCK ADVISORY  READ -1 fe:00:15343619 201 201
3: POSIX  ADVISORY  READ 0 08:12:7 0 0
3: -> POSIX  ADVISORY  WRITE 9 08:12:7 0 0
4: FLOCK  ADVISORY  WRITE 738 00:1a:12 0 EOF
`;
  assert.deepEqual(processLocks(text), [
    { pid: 105, file: "fe:00:15343619" },
    { pid: 0, file: "08:12:7" },
  ]);
  assert.deepEqual(processLocks(""), []);
});

Deno.test("lockedFile() names a file as the kernel does", () => {
  // makedev(254, 0), makedev(8, 18), makedev(0, 300): 12 bits of the minor, then the rest above
  assert.equal(lockedFile({ dev: 0xfe00, ino: 15343619 }), "fe:00:15343619");
  assert.equal(lockedFile({ dev: 0x0812, ino: 7 }), "08:12:7");
  assert.equal(lockedFile({ dev: 0x10002c, ino: null }), "00:12c:0");
});

Deno.test({
  name: "lockedFile() is how this kernel names a file that is locked",
  fn: async () => {
    const path = await Deno.makeTempFile();
    try {
      const script =
        "import fcntl,sys,time\nf=open(sys.argv[1],'w')\nfcntl.lockf(f,fcntl.LOCK_EX)\nprint('ready',flush=True)\nsys.stdin.read()";
      await using child = new Deno.Command("python3", {
        args: ["-c", script, path],
        stdin: "piped",
        stdout: "piped",
      }).spawn();
      const reader = child.stdout.getReader();
      await reader.read();
      const file = lockedFile(await Deno.stat(path));
      const locks = processLocks(await Deno.readTextFile("/proc/locks"));
      assert.ok(
        locks.some((lock) => lock.file === file && lock.pid === child.pid),
        `${file} is not among ${locks.length}`,
      );
      await reader.cancel();
      await child.stdin.close();
      await child.status;
    } finally {
      await Deno.remove(path);
    }
  },
});
