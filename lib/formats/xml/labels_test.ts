import assert from "node:assert/strict";
import { XmlDocument } from "./edit.ts";
import { dropLabels, labelsIn, setLabels } from "./labels.ts";

const domain = (inside: string | undefined, prefix = "kvmm:") =>
  new XmlDocument(
    `<domain><name>w</name><metadata>${
      inside === undefined
        ? ""
        : `<kvmm:vm xmlns:kvmm='urn:kvm-manager:vm:1' created='7'>${inside.replaceAll("@", prefix)}</kvmm:vm>`
    }</metadata></domain>`,
  );
const BOTH = "<@tag>a</@tag><@tag>b &amp; c</@tag><@group>shop</@group>";

Deno.test("labelsIn() reads tags and group, setLabels() puts others in their place", () => {
  for (const prefix of ["kvmm:", ""]) {
    const document = domain(BOTH, prefix);
    assert.deepEqual(labelsIn(document), { tags: ["a", "b & c"], group: "shop" });
    setLabels(document, { tags: ["<x>"], group: undefined }, 5);
    assert.deepEqual(labelsIn(new XmlDocument(document.toString())), { tags: ["<x>"] });
    assert.match(document.toString(), /created='7'/, "what else was noted stays");
  }
  const bare = domain(undefined);
  setLabels(bare, { tags: [] }, 5);
  assert.doesNotMatch(bare.toString(), /kvmm/);
  setLabels(bare, { tags: ["a"], group: "g" }, 5);
  assert.deepEqual(labelsIn(new XmlDocument(bare.toString())), { tags: ["a"], group: "g" });
});

Deno.test("dropLabels() takes both out, and gives what there was", () => {
  const document = domain(BOTH);
  assert.deepEqual(dropLabels(document), { tags: ["a", "b & c"], group: "shop" });
  assert.deepEqual(labelsIn(document), { tags: [] });
  assert.deepEqual(dropLabels(domain(undefined)), { tags: [] });
});
