/** A page with a form that was refused: its fields get what was typed into them, as they were sent. Pure. */
import { escapeHtml, unescapeHtml } from "./html.ts";

/** A form as it was sent. */
export interface SentForm {
  /** Path and query that it was sent to. */
  readonly address: string;
  /** Names and texts, in the order of the form. Files are left out. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Whether what stands in a field must not be sent back. */
  readonly isSecret: (name: string) => boolean;
}

type Attributes = ReadonlyMap<string, string>;

/** An element's opening tag in a page's text. */
interface Tag {
  readonly name: string;
  readonly attributes: Attributes;
  readonly start: number;
  /** Behind its opening tag. */
  readonly end: number;
  /** Before its closing tag; its own end where it has none. */
  close: number;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Elements that send and fill in a form, or hide parts of it. */
const KNOWN: ReadonlySet<string> = new Set([
  ...["form", "input", "select", "option", "textarea", "button", "details"],
]);
/** Elements whose content is text, whatever it looks like. */
const RAW: ReadonlySet<string> = new Set(["script", "style", "textarea", "title"]);
const TAG = /<!--[^]*?-->|<(\/?)([a-zA-Z][\w-]*)((?:\s+[^\s"'<>/=]+(?:="[^"]*")?)*)\s*\/?>/g;
const ATTRIBUTE = /([^\s"'<>/=]+)(?:="([^"]*)")?/g;
/** Kinds of `<input>` that nothing is typed into. */
const UNTYPED: ReadonlySet<string> = new Set(["hidden", "submit", "button", "image", "reset", "file"]);

function attributesOf(text: string): Attributes {
  return new Map(
    [...text.matchAll(ATTRIBUTE)].map((
      [, name = "", value = ""],
    ) => [name.toLowerCase(), unescapeHtml(value)]),
  );
}

/** The tags of a page that forms consist of, as our renderer writes them. */
function tagsIn(html: string): Tag[] {
  const tags: Tag[] = [], open: Tag[] = [];
  TAG.lastIndex = 0;
  for (let found = TAG.exec(html); found !== null; found = TAG.exec(html)) {
    const [whole, slash, given, attributes = ""] = found;
    if (given === undefined) continue;
    const name = given.toLowerCase(), end = found.index + whole.length;
    if (slash === "/") {
      const at = open.findLastIndex((tag) => tag.name === name);
      if (at >= 0) { for (const tag of open.splice(at)) tag.close = found.index; }
      continue;
    }
    const tag: Tag = { name, attributes: attributesOf(attributes), start: found.index, end, close: end };
    if (KNOWN.has(name)) tags.push(tag);
    if (RAW.has(name)) {
      const close = html.indexOf(`</${name}`, end);
      tag.close = close < 0 ? html.length : close;
      TAG.lastIndex = tag.close;
    } else if (KNOWN.has(name) && name !== "input") open.push(tag);
  }
  return tags;
}

const isWithin = (tag: Tag, around: Tag) => tag.start >= around.end && tag.start < around.close;

/** The controls of a form: those in it, and those that name it. */
function controlsOf(form: Tag, tags: readonly Tag[]): Tag[] {
  const id = form.attributes.get("id");
  return tags.filter((tag) => {
    if (!["input", "select", "textarea", "button"].includes(tag.name)) return false;
    const named = tag.attributes.get("form");
    return named === undefined ? isWithin(tag, form) : named === id;
  });
}

/** Address that a form or its button is sent to. */
function addressOf(action: string | undefined, page: string): string {
  if (action === undefined || action === "") return page;
  const { pathname, search } = new URL(action, `http://page${page}`);
  return pathname + search;
}

/** How well a form fits to what was sent: the names that both have, and hidden fields with the same value. */
function fit(controls: readonly Tag[], { fields }: SentForm): number {
  const names = new Set(controls.map(({ attributes }) => attributes.get("name")));
  const sent = new Set(fields.map(([name, value]) => `${name}=${value}`));
  const fixed = controls.filter(({ name, attributes }) =>
    name === "button" || attributes.get("type") === "hidden"
  ).filter(({ attributes }) => attributes.has("name"));
  return fields.filter(([name]) => names.has(name)).length -
    fields.filter(([name]) => !names.has(name)).length +
    fixed.filter(({ attributes }) => sent.has(`${attributes.get("name")}=${attributes.get("value") ?? ""}`))
        .length * 2;
}

/** Forms of one address that are compared. */
const MOST_FORMS = 100;

/** The form of a page that was sent: of several with its address, the one that fits best. */
function formSent(tags: readonly Tag[], address: string, sent: SentForm, page: string): Tag | undefined {
  const goesThere = (action: string | undefined) => addressOf(action, page) === address;
  const buttons = tags.filter(({ attributes }) =>
    attributes.has("formaction") && goesThere(attributes.get("formaction"))
  );
  // Few have the address: what is in each is looked for in those alone
  const fits = tags.filter(({ name, attributes }) => name === "form" && attributes.get("method") === "post")
    .filter((form) => goesThere(form.attributes.get("action")) || controlsOf(form, buttons).length > 0)
    .slice(0, MOST_FORMS)
    .map((form) => ({ form, fit: fit(controlsOf(form, tags), sent) }));
  return fits.sort((a, b) => b.fit - a.fit)[0]?.form;
}

/** A tag's text with some of its attributes set, or taken away with null. */
function tagWith(
  html: string,
  { start, end, name, attributes }: Tag,
  set: Record<string, string | null>,
): Edit {
  const all = new Map(attributes);
  for (const [key, value] of Object.entries(set)) {
    if (value === null) all.delete(key);
    else all.set(key, value);
  }
  const written = [...all].map(([key, value]) => value === "" ? ` ${key}` : ` ${key}="${escapeHtml(value)}"`);
  return { start, end, text: `<${name}${written.join("")}${html.slice(end - 2, end) === "/>" ? "/>" : ">"}` };
}

/** Has a script know that a person filled this in: an island begins with what the server drew. */
const TYPED = "data-typed";

/** Edits that select a list's values: its options, and the mark on itself. */
function filledSelect(html: string, select: Tag, options: readonly Tag[], values: readonly string[]): Edit[] {
  const valueOf = (option: Tag) =>
    option.attributes.get("value") ?? unescapeHtml(html.slice(option.end, option.close)).trim();
  const wanted = options.filter((option) => values.includes(valueOf(option)));
  // What is not to choose any more cannot be chosen.
  if (wanted.length === 0 && !select.attributes.has("multiple")) return [];
  const chosen = new Set(select.attributes.has("multiple") ? wanted : wanted.slice(0, 1));
  const before = options.filter(({ attributes }) => attributes.has("selected"));
  const shown = new Set(
    before.length > 0 || select.attributes.has("multiple") ? before : options.slice(0, 1),
  );
  if (shown.size === chosen.size && [...chosen].every((option) => shown.has(option))) return [];
  return [
    tagWith(html, select, { [TYPED]: "" }),
    ...options.filter((option) => chosen.has(option) !== option.attributes.has("selected"))
      .map((option) => tagWith(html, option, { selected: chosen.has(option) ? "" : null })),
  ];
}

function filledInput(html: string, input: Tag, values: readonly string[], text: string | undefined): Edit[] {
  const { attributes } = input, type = attributes.get("type") ?? "text";
  if (type === "checkbox" || type === "radio") {
    const isChecked = values.includes(attributes.get("value") ?? "on");
    if (isChecked === attributes.has("checked")) return [];
    return [tagWith(html, input, { checked: isChecked ? "" : null, [TYPED]: "" })];
  }
  if (text === undefined || text === (attributes.get("value") ?? "")) return [];
  return [tagWith(html, input, { value: text, [TYPED]: "" })];
}

function filledText(html: string, area: Tag, text: string | undefined): Edit[] {
  const lines = text?.replaceAll("\r\n", "\n");
  if (lines === undefined || lines === unescapeHtml(html.slice(area.end, area.close)).replace(/^\n/, "")) {
    return [];
  }
  return [
    tagWith(html, area, { [TYPED]: "" }),
    // The first line break in such a field is none.
    { start: area.end, end: area.close, text: `\n${escapeHtml(lines)}` },
  ];
}

/** Whether a control is filled in with what was sent. */
function isFilled({ name, attributes }: Tag, isSecret: SentForm["isSecret"]): boolean {
  const field = attributes.get("name"), type = attributes.get("type") ?? "";
  return field !== undefined && name !== "button" && !UNTYPED.has(type) && type !== "password" &&
    !attributes.has("disabled") && !isSecret(field);
}

/** A list's name, of one of its rows: `vms.0` → `vms`; undefined for what is no row. */
const listOf = (name: string): string | undefined => /^(.+)\.\d+$/.exec(name)?.[1];

/**
 * Lists of boxes of which each has a value of its own: what is ticked goes by that, for rows may come in another order than
 * they were sent in.
 */
function listsByValue(boxes: readonly Tag[]): ReadonlySet<string> {
  const values = new Map<string, (string | undefined)[]>();
  for (const { attributes } of boxes) {
    const list = listOf(attributes.get("name")!);
    if (list !== undefined) values.getOrInsertComputed(list, () => []).push(attributes.get("value"));
  }
  return new Set([...values].flatMap(([list, all]) => new Set(all).size === all.length ? [list] : []));
}

const isBox = ({ attributes }: Tag) => ["checkbox", "radio"].includes(attributes.get("type") ?? "");

/** Edits that fill in a form's controls. */
function fillings(html: string, tags: readonly Tag[], controls: readonly Tag[], sent: SentForm): Edit[] {
  const values = new Map<string, string[]>();
  const inLists = new Map<string, string[]>();
  for (const [name, value] of sent.fields) {
    values.getOrInsertComputed(name, () => []).push(value);
    const list = listOf(name);
    if (list !== undefined) inLists.getOrInsertComputed(list, () => []).push(value);
  }
  const used = new Map<string, number>();
  const filled = controls.filter((control) => isFilled(control, sent.isSecret));
  const byValue = listsByValue(filled.filter(isBox));
  return filled.flatMap((control) => {
    const name = control.attributes.get("name")!, all = values.get(name) ?? [], list = listOf(name);
    if (isBox(control)) {
      const ticked = list !== undefined && byValue.has(list) ? inLists.get(list) ?? [] : all;
      return filledInput(html, control, ticked, undefined);
    }
    const at = used.get(name) ?? 0;
    used.set(name, at + 1);
    if (control.name === "select") {
      const options = tags.filter((tag) => tag.name === "option" && isWithin(tag, control));
      // A list and a field for the same: each has sent one.
      const own = control.attributes.has("multiple") ? all : all.slice(at, at + 1);
      return filledSelect(html, control, options, own);
    }
    return control.name === "textarea"
      ? filledText(html, control, all[at])
      : filledInput(html, control, all, all[at]);
  });
}

function applied(html: string, edits: readonly Edit[]): string {
  let text = "", at = 0;
  for (const { start, end, text: put } of edits.toSorted((a, b) => a.start - b.start)) {
    text += html.slice(at, start) + put;
    at = end;
  }
  return text + html.slice(at);
}

/**
 * Fills the form that was sent in again. Parts of the page that are folded over it, or in it over something that was typed,
 * are open.
 *
 * @param html the page, as our renderer writes it
 * @param page path and query of the page
 * @param reached makes addresses of ours as pages have them
 * @returns the page as it was where it has no such form
 */
export function refill(
  html: string,
  sent: SentForm,
  page: string,
  reached = (address: string) => address,
): string {
  const tags = tagsIn(html), form = formSent(tags, reached(sent.address), sent, reached(page));
  // A form without an address is sent to where the page is shown: here that is where the refused one was sent.
  const edits = tags.filter(({ name, attributes }) =>
    name === "form" && attributes.get("method") === "post" && !attributes.has("action")
  ).map((tag) => tagWith(html, tag, { action: reached(page) }));
  if (form === undefined) return applied(html, edits);
  const controls = controlsOf(form, tags), filled = fillings(html, tags, controls, sent);
  const folded = tags.filter((tag) =>
    tag.name === "details" && !tag.attributes.has("open") &&
    (isWithin(form, tag) || filled.some(({ start }) => start >= tag.end && start < tag.close))
  );
  return applied(html, [...edits, ...filled, ...folded.map((tag) => tagWith(html, tag, { open: "" }))]);
}
