import assert from "node:assert/strict";
import fc from "fast-check";
import {
  child,
  children,
  childText,
  escapeXml,
  parseXml,
  unescapeXml,
  type XmlElement,
  XmlError,
} from "./tree.ts";

const refused = (source: string) => assert.throws(() => parseXml(source), XmlError, JSON.stringify(source));

Deno.test("parseXml() reads elements, attributes in either quote, and own text", () => {
  const root = parseXml(
    `<?xml version="1.0"?>\n<!-- head -->\n<a one="1" two='"2"'\n three = "x"/>`.replace(" = ", "="),
  );
  assert.equal(root.name, "a");
  assert.deepEqual({ ...root.attributes }, { one: "1", two: '"2"', three: "x" });
  const tree = parseXml("<a>x<b>y</b>z<b/></a>");
  assert.equal(tree.text, "xz");
  assert.deepEqual(children(tree, "b").map((each) => each.text), ["y", ""]);
});

Deno.test("parseXml() resolves the five entities and character references, in text and attributes", () => {
  const root = parseXml(`<a b="&lt;&gt;&amp;&quot;&apos;&#10;&#x1F600;">&lt;&#65;&#x42;&amp;amp;</a>`);
  assert.equal(root.attributes.b, "<>&\"'\n😀");
  assert.equal(root.text, "<AB&amp;");
});

Deno.test("unescapeXml() leaves what it does not know as it is", () => {
  for (const text of ["&nbsp;", "&", "&;", "&#;", "&#x;", "&#x110000;", "&#9999999;", "& amp;"]) {
    assert.equal(unescapeXml(text), text);
  }
  for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
    assert.equal(unescapeXml(`&${name};`), `&${name};`);
  }
});

Deno.test("parseXml() takes CDATA as text, resolving nothing in it, and passes over comments", () => {
  assert.equal(parseXml("<a>1<![CDATA[<b>&lt;]] >]]>2<!-- <c/> & -->3</a>").text, "1<b>&lt;]] >23");
  assert.equal(parseXml("<a><!----></a>").children.length, 0);
});

Deno.test("parseXml() refuses a DOCTYPE and everything else that begins with <!", () => {
  refused(`<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`);
  refused("<!doctype a><a/>");
  refused("<a><!ELEMENT b></a>");
});

Deno.test("parseXml() refuses what is not one whole element", () => {
  const broken = [
    "",
    " ",
    "text",
    "<",
    "<>",
    "</>",
    "</a>",
    "< a/>",
    "<a>",
    "<a></b>",
    "<a/><b/>",
    "<a/></a>",
    "<a></a></a>",
    "</><a/>",
    "</></>",
    "<a/></>",
    "x<a/>",
    "<a/>x",
    "<![CDATA[x]]><a/>",
    "<a/><![CDATA[x]]>",
    "<a b>",
    "<a b=>",
    "<a b=c/>",
    '<a b="1/>',
    "<a b='1\"/>",
    '<a ="1"/>',
    "<a/ >",
    "<a /b>",
    "<a<b/>",
    "<a/b/>",
    "<a><!-- </a>",
    "<a><![CDATA[ </a>",
    "<a><? </a>",
  ];
  for (const source of broken) refused(source);
});

Deno.test("parseXml() keeps names an object has by itself apart", () => {
  const root = parseXml(`<__proto__ __proto__="1" constructor="2"><toString>x</toString></__proto__>`);
  assert.equal(root.name, "__proto__");
  assert.deepEqual(Object.keys(root.attributes), ["__proto__", "constructor"]);
  assert.equal(root.attributes.toString, undefined);
  assert.equal(childText(root, "toString"), "x");
});

Deno.test("parseXml() reads 64 KB of text, deep nesting and many siblings at once", () => {
  const long = "𝄞é <>&\"' ]]> ".repeat(6000);
  assert.ok(long.length > 65536);
  assert.equal(parseXml(`<a b="${escapeXml(long)}">${escapeXml(long)}</a>`).text, long);
  const deep = parseXml("<a>".repeat(20_000) + "</a>".repeat(20_000));
  assert.equal(deep.children.length, 1);
  assert.equal(parseXml(`<a>${"<b/>".repeat(50_000)}</a>`).children.length, 50_000);
});

const xmlText = fc.string({ unit: "binary", maxLength: 40 });
/** The characters of a text that XML 1.0 can hold: the rest is dropped when escaped. */
const holdable = (text: string) =>
  // deno-lint-ignore no-control-regex -- the characters XML 1.0 forbids
  text.toWellFormed() === text && !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(text);

Deno.test("escapeXml() and unescapeXml() are a round trip for every text XML can hold", () => {
  fc.assert(fc.property(xmlText.filter(holdable), (text) => {
    assert.equal(unescapeXml(escapeXml(text)), text);
    assert.doesNotMatch(escapeXml(text), /[<>"']/);
    assert.equal(parseXml(`<a b="${escapeXml(text)}">${escapeXml(text)}</a>`).attributes.b, text);
  }));
});

Deno.test("escapeXml() drops exactly what XML cannot hold", () => {
  assert.equal(escapeXml("a\0\u0001\b\u000b\u001f\ufffe\uffffb\t\n\r\u007f"), "ab\t\n\r\u007f");
  assert.equal(escapeXml("\ud800x\udc00y😀\udc00\ud83d"), "xy😀");
  fc.assert(
    fc.property(
      fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((n) => String.fromCharCode(n)) }),
      (text) => holdable(escapeXml(text)),
    ),
  );
});

/** An element without its places in the source. */
type Tree = Pick<XmlElement, "name" | "attributes" | "text"> & { readonly children: readonly Tree[] };

/** A random tree as XML, and as what it must be read as. */
interface Sample {
  readonly xml: string;
  readonly tree: Tree;
}
const element: fc.Memo<Sample> = fc.memo<Sample>((depth) =>
  fc.record({
    name: fc.stringMatching(/^[a-z_][a-z0-9_.:-]{0,8}$/),
    attributes: fc.dictionary(fc.stringMatching(/^[a-z][a-z:]{0,5}$/), xmlText.filter(holdable), {
      maxKeys: 3,
    }),
    text: xmlText.filter(holdable),
    cdata: fc.constantFrom("", "<x>", "&lt;"),
    comment: fc.constantFrom("", "<!-- </a> -->", "<?pi <b>?>"),
    children: depth <= 1 ? fc.constant<Sample[]>([]) : fc.array<Sample>(element(), { maxLength: 3 }),
  }).map(({ name, attributes, text, cdata, comment, children }): Sample => {
    const head = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(value)}"`).join("");
    const inside = escapeXml(text) + (cdata && `<![CDATA[${cdata}]]>`) + comment +
      children.map((each) => each.xml).join("");
    return {
      xml: inside === "" ? `<${name}${head}/>` : `<${name}${head}>${inside}</${name}>`,
      tree: { name, attributes, children: children.map((each) => each.tree), text: text + cdata },
    };
  })
);

const plain = ({ name, attributes, children, text }: Tree): Tree => ({
  name,
  attributes: { ...attributes },
  text,
  children: children.map(plain),
});

Deno.test("parseXml() reads any document back as it was written", () => {
  fc.assert(fc.property(element(3), ({ xml, tree }) => assert.deepEqual(plain(parseXml(xml)), plain(tree))));
});

Deno.test("parseXml() tells where each element stands", () => {
  const check = (source: string, element: XmlElement) => {
    const { name, from, inner, closing, to, children } = element;
    assert(source.slice(from, inner).startsWith(`<${name}`) && source.slice(inner - 1, inner) === ">");
    assert(inner === to ? closing === to : source.slice(closing, to) === `</${name}>`);
    assert.deepEqual(plain(parseXml(source.slice(from, to))), plain(element));
    for (const each of children) check(source, each);
  };
  fc.assert(fc.property(element(3), ({ xml }) => check(xml, parseXml(xml))));
});

Deno.test("parseXml() refuses every truncation of a document", () => {
  fc.assert(
    fc.property(element(3), ({ xml }) => {
      for (let length = 0; length < xml.length; length++) refused(xml.slice(0, length));
    }),
    { numRuns: 60 },
  );
});

Deno.test("parseXml() gives a tree or an XmlError for anything, and ends", () => {
  const piece = fc.constantFrom(
    "<",
    ">",
    "/",
    "</",
    "/>",
    "a",
    "b",
    " ",
    "=",
    '"',
    "'",
    "&",
    ";",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?",
    "?>",
    "<a",
    "</a>",
    "\0",
    "😀",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join("")), (source) => {
      try {
        parseXml(source);
      } catch (error) {
        assert.ok(error instanceof XmlError, `${JSON.stringify(source)}: ${error}`);
      }
    }),
    { numRuns: 3000 },
  );
});

Deno.test("child(), children() and childText() find the first, all, and text as it is; nothing in nothing", () => {
  const root = parseXml("<a><b> x </b><c/><b>y</b><d> </d></a>");
  assert.equal(child(root, "b")?.text, " x ");
  assert.equal(children(root, "b").length, 2);
  assert.deepEqual([childText(root, "b"), childText(root, "c"), childText(root, "d"), childText(root, "e")], [
    " x ",
    undefined,
    " ",
    undefined,
  ]);
  assert.equal(child(undefined, "b"), undefined);
  assert.deepEqual(children(undefined, "b"), []);
});
