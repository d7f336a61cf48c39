/** Forms of a page, filled in and read in the browser: the functions run there, and use nothing from here. */

/** A form of a page, as it is filled in. */
export interface FilledForm {
  /** Path and query that it is sent to. */
  readonly action: string;
  /** Name and value of each field that a person fills in: of boxes and radio buttons the ticked ones. */
  readonly values: Readonly<Record<string, readonly string[]>>;
}

/** Value for secret fields: it must never come back. */
export const CANARY = "geheim-canary-4711";

/** Reads the forms of a page that are sent, with the fields that a person can fill in. Passwords are left out. */
export function formsOf(): FilledForm[] {
  const left = ["hidden", "submit", "button", "file", "password"];
  return [...document.forms].filter((form) => form.method === "post").map((form) => {
    const values: Record<string, string[]> = {};
    for (const field of form.elements) {
      const isSelect = field instanceof HTMLSelectElement, isInput = field instanceof HTMLInputElement;
      if (!isSelect && !isInput && !(field instanceof HTMLTextAreaElement)) continue;
      if (field.name === "" || field.disabled || left.includes(field.type)) continue;
      const all = values[field.name] ??= [];
      if (isSelect) all.push(...[...field.selectedOptions].map(({ value }) => value));
      else if (field.type !== "checkbox" && field.type !== "radio") {
        all.push(field.value.replaceAll("\r\n", "\n"));
      } else if ((field as HTMLInputElement).checked) all.push(field.value);
    }
    return { action: form.getAttribute("action") ?? location.pathname + location.search, values };
  });
}

/** Fills the form of this number in, every field with another value than it had. */
export function fill(
  { number, canary, secrets }: { number: number; canary: string; secrets: readonly string[] },
): void {
  const form = [...document.forms].filter(({ method }) => method === "post")[number]!;
  const left = ["hidden", "submit", "button", "file"];
  const texts: Record<string, string> = {
    date: "2031-02-03",
    time: "04:05",
    "datetime-local": "2031-02-03T04:05",
  };
  const isSecret = ({ type, name }: { type: string; name: string }) =>
    type === "password" || secrets.includes(name.slice(name.lastIndexOf(".") + 1));
  const change = (field: HTMLElement, set: () => void) => {
    set();
    for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true }));
  };
  const radios = new Map<string, HTMLInputElement>();
  for (const field of form.elements) {
    const isSelect = field instanceof HTMLSelectElement, isInput = field instanceof HTMLInputElement;
    if (!isSelect && !isInput && !(field instanceof HTMLTextAreaElement)) continue;
    if (field.name === "" || field.disabled || left.includes(field.type)) continue;
    if (isSelect) {
      const chosen = [...field.options].findLast(({ disabled, selected }) => !disabled && !selected);
      if (chosen !== undefined) change(field, () => chosen.selected = true);
    } else if (isSecret(field)) change(field, () => field.value = canary);
    else if (!isInput) change(field, () => field.value = "first\nsecond & <line>\ufffe");
    else if (field.type === "checkbox") change(field, () => field.checked = !field.checked);
    else if (field.type === "radio") {
      if (!field.checked) radios.set(field.name, field);
    } else if (field.type === "number") change(field, () => field.value = field.value === "17" ? "18" : "17");
    else change(field, () => field.value = texts[field.type] ?? `"typed" & <here>\ufffe`);
  }
  for (const radio of radios.values()) change(radio, () => radio.checked = true);
}

/**
 * Sends it, past what the browser itself would refuse.
 *
 * @returns whether the page's own script has kept the browser from sending it, and asks nothing of the server (any more)
 */
export async function send({ number }: { number: number }): Promise<boolean> {
  /** Milliseconds without a call after which the script asks for nothing more. */
  const QUIET_MS = 200;
  const form = [...document.forms].filter(({ method }) => method === "post")[number]!;
  form.noValidate = true;
  // No command has this field: a form that is one command is refused whatever else is in it.
  if (/\/do\//.test(form.getAttribute("action") ?? "")) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "no-such-field", value: "x" });
    form.append(field);
  }
  const buttons = [...form.elements].filter((each): each is HTMLButtonElement =>
    each instanceof HTMLButtonElement && each.type === "submit" && !each.disabled
  );
  const before = globalThis.fetch;
  let open = 0, last = performance.now();
  globalThis.fetch = async (...asked) => {
    open++;
    try {
      return await before(...asked);
    } finally {
      open--;
      last = performance.now();
    }
  };
  let sent: Event | undefined;
  globalThis.addEventListener("submit", (event) => sent = event, { capture: true, once: true });
  form.requestSubmit(buttons.find((button) => !button.hasAttribute("formaction")) ?? buttons[0] ?? null);
  if (sent?.defaultPrevented !== true) return false;
  last = performance.now();
  while (open > 0 || performance.now() - last < QUIET_MS) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
