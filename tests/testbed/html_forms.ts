/** Forms in a page's markup, as a browser without script sends them. */
import { attribute } from "./visit_pages.ts";

/** Request of a form's button. */
export interface HtmlForm {
  /** Path and query that it is sent to. */
  readonly action: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

const isSet = (tag: string, name: string) => new RegExp(`\\s${name}(?:[\\s=>]|/>)`).test(tag);

/** Value for an empty field. */
function filler(tag: string, number: number): string {
  const type = attribute(tag, "type") ?? "text", name = attribute(tag, "name") ?? "";
  const ofType: Readonly<Record<string, string>> = {
    number: attribute(tag, "min") ?? "1",
    date: "2031-02-03",
    time: "04:05",
    "datetime-local": "2031-02-03T04:05",
    url: "https://example.test/x",
    password: "seven other words in one row",
  };
  return ofType[type] ?? (/name$/i.test(name) ? `twice-${number}` : "");
}

/** The field of an input; undefined where it sends nothing. */
function inputField(tag: string, number: number): [string, string] | undefined {
  const type = attribute(tag, "type") ?? "text", value = attribute(tag, "value") ?? "";
  if (["submit", "button", "file", "image", "reset"].includes(type)) return undefined;
  const name = attribute(tag, "name") ?? "";
  if (type === "checkbox" || type === "radio") {
    return isSet(tag, "checked") ? [name, value || "on"] : undefined;
  }
  return [name, value === "" && type !== "hidden" ? filler(tag, number) : value];
}

/** The field of a list: what is selected, else its first entry. */
function selectField(select: string): [string, string] | undefined {
  const options = [...select.matchAll(/<option\b[^>]*>/g)].map(([tag]) => tag).filter((tag) =>
    !isSet(tag, "disabled")
  );
  const chosen = options.find((tag) => isSet(tag, "selected")) ?? options[0];
  const name = attribute(/<select\b[^>]*>/.exec(select)![0], "name") ?? "";
  return chosen === undefined ? undefined : [name, attribute(chosen, "value") ?? ""];
}

/** The fields of a form, those that are empty filled in. */
function fieldsOf(form: string, number: number): [string, string][] {
  const found = [...form.matchAll(/<input\b[^>]*>|<select\b[^]*?<\/select>|<textarea\b[^]*?<\/textarea>/g)]
    .map(([tag]) => {
      const head = /<[^>]*>/.exec(tag)![0];
      if (isSet(head, "disabled")) return undefined;
      if (tag.startsWith("<input")) return inputField(tag, number);
      if (tag.startsWith("<select")) return selectField(tag);
      return [attribute(head, "name") ?? "", tag.slice(head.length, -"</textarea>".length)] as [
        string,
        string,
      ];
    });
  return found.filter((each) => each !== undefined && each[0] !== "") as [string, string][];
}

/** Requests of all buttons of a page's forms, without buttons that only ask. @param number makes names differ */
export function htmlForms(html: string, at: string, number: number): HtmlForm[] {
  return [...html.matchAll(/<form\s[^>]*>[^]*?<\/form>/g)].flatMap(([form]) => {
    const head = /<form[^>]*>/.exec(form)![0];
    if (attribute(head, "method") !== "post") return [];
    const buttons = [...form.matchAll(/<button\s[^>]*>/g)].map(([tag]) => tag).filter((tag) =>
      attribute(tag, "type") === "submit" && !isSet(tag, "disabled") && !/\sformmethod="get"/i.test(tag)
    );
    return buttons.map((button) => {
      const to = attribute(button, "formAction") ?? attribute(button, "formaction") ??
        attribute(head, "action") ?? at;
      const { pathname, search } = new URL(to, `http://here${at}`), name = attribute(button, "name");
      const own = name === undefined ? [] : [[name, attribute(button, "value") ?? ""] as [string, string]];
      return { action: pathname + search, fields: [...fieldsOf(form, number), ...own] };
    });
  });
}

/** Forms of the page itself, and the way out. */
const OF_SHELL = /^\/(?:preferences|sign-out)/;

/** Adds the forms of a page to those that were found, each with the same fields once; those around every page are left out. */
export function collectForms(forms: Map<string, HtmlForm>, html: string, address: string): void {
  for (const form of htmlForms(html, address, forms.size)) {
    const key = `${form.action} ${form.fields.map(([name]) => name).join()}`;
    if (!OF_SHELL.test(form.action) && !forms.has(key)) forms.set(key, form);
  }
}

/** Addresses that remove objects of other forms, or the user's own access: sent last, in this order. */
const LAST = [/delete|remove|empty|cleanup|stop|detach/, /role|user/, /revoke|password/];
const lateness = ({ action }: HtmlForm) => LAST.findLastIndex((each) => each.test(action));

/** Forms in an order in which all can be sent. */
export const inSendingOrder = (forms: Iterable<HtmlForm>): HtmlForm[] =>
  [...forms].sort((a, b) => lateness(a) - lateness(b));
