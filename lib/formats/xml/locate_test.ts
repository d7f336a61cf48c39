import assert from "node:assert/strict";
import { lineOf, locateFault } from "./locate.ts";
import { parseXml, type XmlElement } from "./tree.ts";

/** A validator that wants a `need` in the root, and neither `bad` elements nor `bad` attributes anywhere. */
function isValid(source: string): boolean {
  const root = parseXml(source);
  const good = ({ name, attributes, children }: XmlElement): boolean =>
    name !== "bad" && !("bad" in attributes) && children.every(good);
  return good(root) && root.children.some(({ name }) => name === "need");
}
const found = (source: string) => {
  const { element, attribute } = locateFault(source, isValid);
  return [element.name, attribute, lineOf(source, element.from)];
};

Deno.test("locateFault() finds the innermost element, and the attribute", () => {
  assert.deepEqual(found("<r>\n<need/>\n<a>\n<b/>\n<bad/>\n</a></r>"), ["bad", undefined, 5]);
  assert.deepEqual(found("<r>\n<need/>\n<a>\n<b x='1' bad = '2'/>\n</a></r>"), ["b", "bad", 4]);
});

Deno.test("locateFault() finds the first of several, and what cannot be left out", () => {
  assert.deepEqual(found("<r>\n<need/>\n<bad/>\n<a/>\n<bad/>\n</r>"), ["bad", undefined, 3]);
  assert.deepEqual(found("<r>\n<need bad='1'/></r>"), ["need", "bad", 2]);
});

Deno.test("locateFault() names the outer element when something is missing", () => {
  assert.deepEqual(found("<r>\n<a/></r>"), ["r", undefined, 1]);
});

Deno.test("lineOf() counts from 1", () => {
  assert.deepEqual([0, 1, 2, 3].map((at) => lineOf("a\n\nb", at)), [1, 1, 2, 3]);
});
