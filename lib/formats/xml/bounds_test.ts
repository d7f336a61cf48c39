import assert from "node:assert/strict";
import { excessOf, XML_BOUNDS } from "./bounds.ts";

const { attributes, depth, elements } = XML_BOUNDS;
const attributesOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ` a${index}='>'`).join("");
const nested = (count: number) => "<a>".repeat(count) + "</a>".repeat(count);

Deno.test("excessOf() accepts what is at the bounds, and names what is beyond and where", () => {
  const children = (count: number) => `<d>${"<e/>".repeat(count)}</d>`;
  for (
    const source of [
      `<d${attributesOf(attributes)}/>`,
      nested(depth),
      children(elements - 1),
      "",
      "<",
      "<d",
      "<d a='",
    ]
  ) assert.equal(excessOf(source), null, source.slice(0, 40));
  for (
    const [source, message, offset] of [
      [`<d><e${attributesOf(attributes + 1)}/></d>`, /attributes on one element \(101; at most 100/, 3],
      [nested(depth + 1), /inside each other \(101/, depth * 3],
      [children(elements), /too many elements \(20001/, 3 + (elements - 1) * 4],
    ] as const
  ) {
    const excess = excessOf(source);
    assert.match(excess?.message ?? "", message);
    assert.equal(excess?.offset, offset);
  }
});

Deno.test("excessOf() counts no tags in comments, CDATA, instructions and attributes", () => {
  const many = "<a>".repeat(depth * 2);
  for (
    const source of [
      `<d><!--${many}--></d>`,
      `<d><![CDATA[${many}]]></d>`,
      `<?x ${many}?><d/>`,
      `<d a="${many}"/>`,
    ]
  ) {
    assert.equal(excessOf(source), null);
  }
  assert.notEqual(excessOf(`<!-- ' --><d a='">"'>${many}</d>`), null);
});
