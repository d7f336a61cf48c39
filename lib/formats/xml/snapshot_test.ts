import assert from "node:assert/strict";
import { isBeingDeleted, markedAsDeleting, pivotingDisk } from "./snapshot.ts";

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
    // Begun anew: what was known of the disk stays.
    assert.equal(markedAsDeleting(first), first, own);
    const second = markedAsDeleting(first, "vdb");
    assert.equal(descriptionIn(second).description, `[deletion began] [pivot of vdb] ${own}`.trimEnd());
  }
});
