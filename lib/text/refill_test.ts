import assert from "node:assert/strict";
import { refill } from "./refill.ts";

const sent = (address: string, ...fields: [string, string][]) => ({
  address,
  fields,
  isSecret: (name: string) => name === "secret",
});
/** The tags of a page with a name, as they are written. */
const tags = (html: string, name: string) => html.match(new RegExp(`<${name}\\b[^>]*>`, "g")) ?? [];

Deno.test("refill() fills every kind of field in as it was sent", () => {
  const html = `<form method="post" action="/do/x?to=/p">` +
    `<input name="line" value="old"/><input type="checkbox" name="box" value="yes"/>` +
    `<input type="checkbox" name="off" value="yes" checked/><input type="checkbox" name="many" value="a" checked/>` +
    `<input type="checkbox" name="many" value="b"/><input type="radio" name="way" value="1" checked/>` +
    `<input type="radio" name="way" value="2"/><select name="pick"><option value="x" selected>X</option>` +
    `<option>Y &amp; Z</option></select><textarea name="text">old</textarea>` +
    `<input name="row" value="1"/><input name="row" value="2"/></form>`;
  const filled = refill(
    html,
    sent(
      "/do/x?to=/p",
      ["line", `"new" <b>`],
      ["box", "yes"],
      ["many", "b"],
      ["way", "2"],
      ["pick", "Y & Z"],
      ["text", "<i>\r\n2"],
      ["row", "7"],
      ["row", "8"],
    ),
    "/p",
  );
  assert.deepEqual(tags(filled, "input"), [
    `<input name="line" value="&#34;new&#34; &#60;b&#62;" data-typed/>`,
    `<input type="checkbox" name="box" value="yes" checked data-typed/>`,
    `<input type="checkbox" name="off" value="yes" data-typed/>`,
    `<input type="checkbox" name="many" value="a" data-typed/>`,
    `<input type="checkbox" name="many" value="b" checked data-typed/>`,
    `<input type="radio" name="way" value="1" data-typed/>`,
    `<input type="radio" name="way" value="2" checked data-typed/>`,
    `<input name="row" value="7" data-typed/>`,
    `<input name="row" value="8" data-typed/>`,
  ]);
  assert.deepEqual(tags(filled, "option"), [`<option value="x">`, "<option selected>"]);
  assert.match(filled, /<select name="pick" data-typed>/);
  assert.match(filled, /<textarea name="text" data-typed>\n&#60;i&#62;\n2<\/textarea>/);
});

Deno.test("refill() gives a list and a field with one name what each has sent", () => {
  const html = `<form method="post" action="/do/x"><select name="path"><option value="">None</option>` +
    `<option value="a">A</option></select><input name="path" value=""/></form>`;
  const filled = (...texts: [string, string]) =>
    refill(html, sent("/do/x", ["path", texts[0]], ["path", texts[1]]), "/p");
  assert.match(filled("", "/b"), /<option value="">None.*<input name="path" value="\/b"/);
  assert.match(filled("a", ""), /<option value="a" selected>A.*<input name="path" value=""/);
});

Deno.test("refill() ticks rows of a list by their values, whatever their numbers are now; equal ones by number", () => {
  const box = (name: string, value: string) => `<input type="checkbox" name="${name}" value="${value}"/>`;
  const html = `<form method="post" action="/a">${box("vms.0", "b")}${box("vms.1", "a")}${
    box("on.0", "yes")
  }${box("on.1", "yes")}</form>`;
  const filled = refill(html, sent("/a", ["vms.1", "b"], ["on.1", "yes"]), "/p");
  const ticked = tags(filled, "input").map((tag) => tag.includes(" checked"));
  assert.deepEqual(ticked, [true, false, false, true]);
});

Deno.test("refill() never sends a secret back, nor changes what the page itself says", () => {
  const html =
    `<form method="post" action="/a"><input type="password" name="p"/><textarea name="secret"></textarea>` +
    `<input type="hidden" name="etag" value="new"/><input type="file" name="f"/>` +
    `<input name="off" value="1" disabled/><button name="do" value="x">X</button></form>`;
  const fields: [string, string][] = ["p", "secret", "etag", "f", "off", "do"].map((
    name,
  ) => [name, "canary"]);
  assert.equal(refill(html, sent("/a", ...fields), "/p"), html);
});

Deno.test("refill() finds the form: by address, button, fields, and controls outside of it", () => {
  const twins = `<form method="post" action="/a"><input name="one"/></form>` +
    `<form method="post" action="/a"><input name="two"/></form>`;
  assert.match(refill(twins, sent("/a", ["two", "2"]), "/p"), /<input name="two" value="2" data-typed\/>/);
  const byButton =
    `<form method="post" action="/b"><input name="x"/><button formaction="/a">A</button></form>`;
  assert.match(refill(byButton, sent("/a", ["x", "2"]), "/p"), /name="x" value="2"/);
  const outside =
    `<input type="checkbox" name="vm" value="1" form="bulk"/><form id="bulk" method="post" action="/a"></form>`;
  assert.match(refill(outside, sent("/a", ["vm", "1"]), "/p"), /form="bulk" checked/);
  const based = `<form method="post" action="/base/a"><input name="x"/></form>`;
  assert.match(
    refill(based, sent("/a", ["x", "2"]), "/p", (address) => `/base${address}`),
    /name="x" value="2"/,
  );
  const other = `<form method="post" action="/other"><input name="x"/></form>`;
  assert.equal(refill(other, sent("/a", ["x", "2"]), "/p"), other);
});

Deno.test("refill() opens what is folded over the form or over what was typed, and gives forms their page's address", () => {
  const html = `<details><summary>Add</summary><form method="post"><details><input name="x"/></details>` +
    `<details><input name="y"/></details></form></details><details></details>`;
  const filled = refill(html, sent("/p?a=1", ["x", "2"], ["y", ""]), "/p?a=1");
  assert.deepEqual(tags(filled, "details"), ["<details open>", "<details open>", "<details>", "<details>"]);
  assert.match(filled, /<form method="post" action="\/p\?a=1">/);
});

Deno.test("refill() is not led astray by text that looks like fields", () => {
  const form = `<form method="post" action="/a"><textarea name="t"></textarea><input name="x"/></form>`;
  const html =
    `<script>"<form method=\\"post\\" action=\\"/a\\">"</script><textarea name="o"></form></textarea>${form}`;
  assert.match(
    refill(html, sent("/a", ["x", "2"], ["t", ""]), "/p"),
    /<input name="x" value="2" data-typed\/>/,
  );
});
