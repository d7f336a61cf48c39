import assert from "node:assert/strict";
import { LibvirtError } from "./error.ts";
import { DomainSchema } from "./schema.ts";
import { SchemaCheck } from "./schema_check.ts";

/** The schemas come with libvirt's daemon. */
const ignore = (() => {
  using schema = DomainSchema.load();
  return schema === null;
})();

const domain = (devices: string) =>
  `<domain type='qemu'>\n<name>a</name><memory>1024</memory><vcpu>1</vcpu><os><type>hvm</type></os>\n${devices}</domain>`;
/** One element with so many attributes that libxml2 takes seconds to validate it. */
const heavy = domain(`<devices${Array.from({ length: 15_000 }, (_, index) => ` a${index}=''`).join("")}/>`);

Deno.test({
  name: "SchemaCheck.faultOf() says what is wrong and where, one document after the other",
  ignore,
  fn: async () => {
    const check = new SchemaCheck();
    const [good, bad, broken] = await Promise.all([
      check.faultOf(domain("<devices/>")),
      check.faultOf(domain("<devices>\n<disk bad='1'/></devices>")),
      check.faultOf(domain("<devices>")),
    ]);
    check.end();
    assert.equal(good, null);
    assert.deepEqual([bad?.line, bad?.element], [4, "disk"]);
    assert.equal(broken?.line, 3);
  },
});

Deno.test({
  name: "SchemaCheck.faultOf() gives a document up that takes too long, and goes on with the next",
  ignore,
  fn: async () => {
    const check = new SchemaCheck(200);
    await assert.rejects(
      check.faultOf(heavy),
      (error) => error instanceof LibvirtError && error.kind === "timeout",
    );
    const patient = new SchemaCheck();
    assert.equal(await patient.faultOf(domain("<devices/>")), null);
    check.end();
    patient.end();
  },
});
