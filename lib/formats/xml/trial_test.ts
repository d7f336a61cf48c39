import assert from "node:assert/strict";
import { lineFrom, readDomain, refusedOutright, trialFault, trialXml } from "./trial.ts";

const fault = (source: string) => {
  const read = readDomain(source);
  return "fault" in read ? read.fault : null;
};

Deno.test("refusedOutright() refuses document types, other encodings, and what XML cannot hold (threat 6)", () => {
  for (
    const [source, line] of [
      ["<!DOCTYPE d>\n<domain/>", 1],
      ["<domain>\n<!ENTITY a 'b'></domain>", 2],
      ["<domain><!doctype x></domain>", 1],
      ["<?xml version='1.0' encoding='UTF-16'?><domain/>", 1],
      ["\ufeff<?xml version='1.0'\n encoding = \"utf-7\"?><domain/>", 1],
      ["<domain>\n\n\u0000</domain>", 3],
      ["<domain>\ud800</domain>", 1],
      ["<domain>\na\ufffdff</domain>", 2], // a byte
      ["<domain>\na\ufffdc3\ufffda9</domain>", 2], // another spelling of é
    ] as const
  ) assert.equal(refusedOutright(source)?.line, line, JSON.stringify(source));
  for (
    const source of [
      "<?xml version='1.0' encoding='utf-8'?><domain/>",
      "<domain><!-- a comment --><![CDATA[x]]>\u{1f600}</domain>",
      "<domain>a\ufffdb a\ufffdef\ufffdbf\ufffdbdff</domain>", // a U+FFFD, and one that needs its spelling
    ]
  ) assert.equal(refusedOutright(source), null, source);
});

Deno.test("readDomain() gives the document, or what is wrong and where", () => {
  assert.equal(fault("<domain><name>a</name></domain>"), null);
  assert.deepEqual(fault("<domain>\n<a></b></domain>"), { message: "unexpected end tag", line: 2 });
  assert.match(fault("<network/>")!.message, /must be a <domain>/);
  assert.deepEqual(fault("<domain><uuid>1</uuid>\n<uuid>2</uuid></domain>"), {
    message: "<uuid> is there twice",
    line: 2,
  });
});

Deno.test("trialXml() changes the name alone, into one that libvirt must refuse", () => {
  const read = readDomain("<domain>\n <name>a&amp;b</name><x/></domain>");
  assert.ok("document" in read);
  assert.equal(trialXml(read.document, "a&b"), "<domain>\n <name>a&#38;b\n.</name><x/></domain>");
});

Deno.test("trialFault() knows the refusal of the name from others, and finds lines", () => {
  const xml = "<domain>\n<a b='one'/>\n<c>two</c>\n<d e='x'/><f e='x'/></domain>";
  assert.equal(trialFault("invalid char in name: ", xml), null);
  assert.equal(trialFault(null, xml), null);
  assert.deepEqual(trialFault("bad value 'one'", xml), { message: "bad value 'one'", line: 2 });
  assert.equal(lineFrom("(domain_definition):3: mismatch", xml), 3);
  assert.equal(lineFrom("bad 'nowhere', bad 'two'", xml), 3);
  assert.equal(lineFrom("bad 'x'", xml), undefined, "more than one place");
});
