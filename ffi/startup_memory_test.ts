import assert from "node:assert/strict";
import { cleanMappings, releaseStartupMemory } from "./startup_memory.ts";

const SMAPS = `559f5d9dc000-559f5f56a000 r--p 00000000 fe:00 1234      /opt/a b/program
Size:              28216 kB
Anonymous:             0 kB
VmFlags: rd mr mw me sd
559f5f7e0000-559f634d4000 r-xp 01b8e000 fe:00 1234      /opt/a b/program
Anonymous:             0 kB
559f634d4000-559f63746000 r--p 05882000 fe:00 1234      /opt/a b/program
Anonymous:          2504 kB
559f63746000-559f63800000 rw-p 05882000 fe:00 1234      /opt/a b/program
Anonymous:             0 kB
7ff934c00000-7ff934cc5000 r--p 00000000 fe:00 99        /usr/lib/libcrypto.so.3
Anonymous:             0 kB
7ff938504000-7ff93865a000 rw-p 00000000 00:00 0
Anonymous:          1240 kB
`;

Deno.test("cleanMappings() gives what is only read, was never written to, and is of that file", () => {
  assert.deepEqual(cleanMappings(SMAPS, "/opt/a b/program"), [
    { address: 0x559f5d9dc000n, length: 0x1b8e000n },
    { address: 0x559f5f7e0000n, length: 0x3cf4000n },
  ]);
  assert.deepEqual(cleanMappings("", "/opt/a b/program"), []);
});

Deno.test("releaseStartupMemory() lets go of the executable's pages, and all goes on", () => {
  const resident = () =>
    Number(/^RssFile:\s+(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status"))![1]);
  const before = resident();
  releaseStartupMemory();
  const after = resident();
  assert.ok(after < before, `${before} kB of files before, ${after} kB after`);
  assert.equal(JSON.parse(`{"one":${[1, 2, 3].map((each) => each * each).join("")}}`).one, 149);
});
