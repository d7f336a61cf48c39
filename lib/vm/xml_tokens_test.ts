import assert from "node:assert/strict";
import { tokenizeXml, xmlLines } from "./xml_tokens.ts";

const kinds = (xml: string) =>
  tokenizeXml(xml).filter(({ text }) => text.trim() !== "").map(({ kind }) => kind);

Deno.test("tokenizeXml() tells tags, attributes, values, comments and text apart", () => {
  assert.deepEqual(kinds(`<a b="1>2" c='x'/>`), [
    "tag",
    "name",
    "tag",
    "value",
    "name",
    "tag",
    "value",
    "tag",
  ]);
  assert.deepEqual(kinds("<?xml version='1.0'?><!-- <a> --><n>t</n>"), [
    "mark",
    "comment",
    "tag",
    "tag",
    "text",
    "tag",
    "tag",
  ]);
});

Deno.test("tokenizeXml() loses nothing, however broken the document", () => {
  for (
    const xml of [
      "",
      "<",
      "<a",
      "<a b",
      `<a b="`,
      "a<b<c",
      "<!-- never ends",
      "<![CDATA[ <x> ]]>",
      "</",
      "<a/b>",
      "=",
      "<a\n\tb = 'c'\n>",
    ]
  ) {
    assert.equal(tokenizeXml(xml).map(({ text }) => text).join(""), xml);
  }
});

Deno.test("tokenizeXml() takes time in proportion to the length", () => {
  const xml = "<a ".repeat(50_000) + '"'.repeat(50_001) + "<!--".repeat(50_000);
  assert.equal(tokenizeXml(xml).map(({ text }) => text).join("").length, xml.length);
});

Deno.test("xmlLines() cuts tokens at line ends", () => {
  const lines = xmlLines("<!-- a\r\nb -->\n<x/>\n");
  assert.equal(lines.length, 3);
  assert.deepEqual(lines[1], [{ kind: "comment", text: "b -->" }]);
});
