import assert from "node:assert/strict";
import { connectionUri, qemuLogFolder, uriOfFurtherHost } from "./uri.ts";
import { localMachine } from "../machine/machine.ts";

const FORWARDED = "qemu+unix:///system?socket=/run/forwarded";

for (
  const [uri, isOurs] of [
    ["qemu:///system", true],
    ["qemu:///session", true],
    [FORWARDED, false],
    ["qemu:///system?socket=/run/forwarded", false],
    ["qemu+ssh://lab/system", false],
    ["qemu+tls://lab/system?socket=/run/x", false],
    ["test:///default", false],
  ] as const
) {
  Deno.test(`a further host by ${uri} is ${isOurs ? "" : "not "}taken for this machine`, () => {
    const marked = uriOfFurtherHost(uri);
    assert.equal(localMachine(marked) !== null, isOurs);
    assert.equal(connectionUri(marked), uri);
  });
}

Deno.test("the local host's own socket is this machine's; a mark says otherwise of any URI", () => {
  assert.equal(localMachine(FORWARDED)?.isSystem, false);
  for (const uri of ["qemu:///system", FORWARDED]) {
    const elsewhere = `${uri}#elsewhere`;
    assert.equal(localMachine(elsewhere), null);
    assert.equal(qemuLogFolder(elsewhere, () => "/home"), undefined);
  }
});
