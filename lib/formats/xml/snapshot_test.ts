import assert from "node:assert/strict";
import { isBeingDeleted, markedAsDeleting, pivotingDisk, withImagesAt } from "./snapshot.ts";

const snapshot = (description: string) =>
  `<domainsnapshot>\n  <name>one</name>${description}\n  <state>running</state>\n</domainsnapshot>`;
const descriptionIn = (xml: string) => ({ description: /<description>(.*?)<\/description>/.exec(xml)?.[1] });

Deno.test("markedAsDeleting() says how far the deletion came, and keeps what a person wrote", () => {
  for (const own of ["", "before the update", "[deletion] of old kernels"]) {
    const source = snapshot(own === "" ? "" : `<description>${own}</description>`);
    assert.equal(isBeingDeleted(descriptionIn(source)), false, own);
    const begun = markedAsDeleting(source);
    assert.equal(isBeingDeleted(descriptionIn(begun)), true, own);
    assert.equal(pivotingDisk(descriptionIn(begun)), undefined, own);
    assert.equal(markedAsDeleting(begun), begun, own);
    const first = markedAsDeleting(begun, "vda");
    assert.equal(pivotingDisk(descriptionIn(first)), "vda", own);
    // Begun again: what was known of the disk stays.
    assert.equal(markedAsDeleting(first), first, own);
    const second = markedAsDeleting(first, "vdb");
    assert.equal(descriptionIn(second).description, `[deletion began] [pivot of vdb] ${own}`.trimEnd());
  }
});

Deno.test("withImagesAt(): images swap names in one pass; what is not moved stays", () => {
  const xml = `<domainsnapshot><name>s</name><disks><disk name='vda'><source file='/i/b'/></disk></disks>
  <domain><devices><disk><source file='/i/a'/><backingStore><source file="/i/c"/></backingStore></disk>
  <disk><source file='/i/iso'/></disk><disk><source dev='/i/a'/></disk></devices></domain></domainsnapshot>`;
  const moved = new Map([["/i/a", "/i/b"], ["/i/b", "/i/a"], ["/i/c", "/j/'c'&"]]);
  assert.equal(
    withImagesAt(xml, moved),
    xml.replace("'/i/b'", "'/TMP'").replace("file='/i/a'", "file='/i/b'").replace("'/TMP'", "'/i/a'")
      .replace('"/i/c"', "'/j/&#39;c&#39;&#38;'"),
  );
});
