import assert from "node:assert/strict";
import { lexer, type Token, walkTokens } from "marked";
import { copiedFile } from "../bundle.ts";
import { CHAPTERS, helpFor } from "./chapters.ts";
import { chapterOf, DRAWN, linkIn, searchChapters } from "./text.ts";

const files = (await Array.fromAsync(Deno.readDir(copiedFile("docs")))).map(({ name }) => name)
  .filter((name) => name.endsWith(".md")).map((name) => name.slice(0, -".md".length));
const lexed = new Map<string, Token[]>();
for (const name of files) lexed.set(name, lexer(await Deno.readTextFile(copiedFile(`docs/${name}.md`))));
const chapters = [...lexed].map(([name, tokens]) => chapterOf(name, tokens));

Deno.test("each file of the documentation is a chapter, with a title of its own", () => {
  assert.deepEqual(CHAPTERS.toSorted(), files.toSorted());
  assert.equal(new Set(chapters.map(({ title }) => title)).size, files.length);
});

Deno.test("the documentation has no Markdown that is not drawn", () => {
  const drawn: readonly string[] = DRAWN, others = new Set<string>();
  for (const [name, tokens] of lexed) {
    void walkTokens(tokens, ({ type, raw }) => {
      if (!drawn.includes(type)) others.add(`${name}: ${type} ${raw}`);
      if (type === "text" && /&[a-z#0-9]+;/.test(raw)) others.add(`${name}: ${raw}`);
    });
  }
  assert.deepEqual([...others], []);
});

Deno.test("links of the documentation lead to chapters and headings that there are", () => {
  const lost: string[] = [];
  for (const { name, tokens } of chapters) {
    void walkTokens([...tokens], (token) => {
      if (token.type !== "link" || /^(?:https?:|\.\.\/guest\/)/.test(token.href)) return;
      const [path = "", anchor = ""] = (linkIn(token.href) ?? "nowhere").split("#");
      const to = path === "" ? name : path.replace("/help/", "");
      const found = chapters.find((chapter) => chapter.name === to);
      if (found?.sections.some((section) => section.anchor === anchor) !== true) {
        lost.push(`${name}: ${token.href}`);
      }
    });
  }
  assert.deepEqual(lost, []);
});

Deno.test("linkIn() leads to chapters, and nowhere else within the product", () => {
  assert.equal(linkIn("hosts.md#secrets-at-rest"), "/help/hosts#secrets-at-rest");
  assert.equal(linkIn("docs/tls.md"), "/help/tls");
  assert.equal(linkIn("#limits"), "#limits");
  assert.equal(linkIn("https://fresh.deno.dev"), "https://fresh.deno.dev");
  for (const href of ["../guest/PROTOCOL.md", "javascript:alert(1)", "nothing.md", "/vms", "//elsewhere"]) {
    assert.equal(linkIn(href), null, href);
  }
});

Deno.test("helpFor() is the chapter that a page is about", () => {
  assert.equal(helpFor("/"), "/help");
  assert.equal(helpFor("/vms"), "/help");
  assert.equal(helpFor("/vms/5c3ae4f5/snapshots"), "/help/snapshots");
  assert.equal(helpFor("/vms/import-from"), "/help/import");
  assert.equal(helpFor("/backups/new"), "/help/backups");
  assert.equal(helpFor("/backupsother"), "/help");
  assert.equal(helpFor("/settings/hosts/there"), "/help/hosts");
});

Deno.test("searchChapters() wants every word, titles first, with the words around", () => {
  const own = [
    chapterOf("one", lexer("# One\n\nA bridge leads out.\n\n## Networks\n\nNAT, and `bridge`.\n")),
    chapterOf("two", lexer("# Two bridges\n\nNothing.\n")),
  ];
  const found = searchChapters(own, "BRIDGE");
  assert.deepEqual(found.map(({ href }) => href), ["/help/two", "/help/one", "/help/one#networks"]);
  assert.equal(found[2]!.around, "NAT, and bridge.");
  assert.deepEqual(searchChapters(own, "bridge nat").map(({ title }) => title), ["Networks"]);
  assert.deepEqual(searchChapters(own, "  "), []);
  assert.deepEqual(searchChapters(own, "bridge <script>"), []);
});
