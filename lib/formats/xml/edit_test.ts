import assert from "node:assert/strict";
import { renderXml, xml } from "./build.ts";
import { XmlDocument } from "./edit.ts";
import { children } from "./tree.ts";

const SOURCE = `<!-- kept -->
<domain type='qemu'>
  <name>a</name>
  <vcpu current="1" >2</vcpu>
  <devices>
    <disk type='file' device='disk'><!-- odd --><unknown:x   y='z'  /></disk>
    <disk type='block'/>
  </devices>
  <features/>
</domain>
`;

Deno.test("xml() escapes values and leaves out what is undefined", () => {
  const node = xml("a", { b: `'<&>"`, c: undefined, d: true }, [false, undefined, xml("e", {}, "1 < 2")]);
  assert.equal(renderXml(node), "<a b='&#39;&#60;&#38;&#62;&#34;' d='yes'>\n  <e>1 &#60; 2</e>\n</a>");
  assert.throws(() => xml("a b"), TypeError);
  assert.throws(() => xml("a", { "b='1' c": "d" }), TypeError);
});

Deno.test("XmlDocument changes exactly what it is asked to", () => {
  const doc = new XmlDocument(SOURCE);
  doc.setAttribute(doc.find("vcpu")!, "current", "2");
  doc.setAttribute(doc.find("vcpu")!, "placement", "static");
  doc.setText(doc.find("name")!, "b<c");
  doc.append(doc.find("features")!, xml("acpi"));
  doc.append(
    doc.find("devices")!,
    xml("rng", { model: "virtio" }, xml("backend", { model: "random" }, "/x")),
  );
  doc.insertAfter(doc.find("name")!, xml("title", {}, "t"));
  doc.insertBefore(doc.find("features")!, xml("os"));
  doc.setAttribute(doc.root, "type", undefined);
  assert.equal(
    doc.toString(),
    `<!-- kept -->
<domain>
  <name>b&#60;c</name>
  <title>t</title>
  <vcpu current='2' placement='static' >2</vcpu>
  <devices>
    <disk type='file' device='disk'><!-- odd --><unknown:x   y='z'  /></disk>
    <disk type='block'/>
    <rng model='virtio'>
      <backend model='random'>/x</backend>
    </rng>
  </devices>
  <os/>
  <features>
    <acpi/>
  </features>
</domain>
`,
  );
});

Deno.test("XmlDocument removes and replaces, and undoing gives the very same bytes", () => {
  const doc = new XmlDocument(SOURCE);
  const [first, second] = children(doc.find("devices"), "disk");
  const text = doc.sourceOf(first!);
  assert(text.startsWith("<disk type='file'") && text.endsWith("</disk>"));
  doc.replace(second!, xml("disk", { type: "block" }));
  assert.equal(doc.toString(), SOURCE);
  doc.append(doc.find("devices")!, xml("hub"));
  doc.remove(doc.find("devices", "hub")!);
  assert.equal(doc.toString(), SOURCE);
  doc.setText(doc.find("features")!, "x");
  assert.equal(doc.find("features")!.text, "x");
});
