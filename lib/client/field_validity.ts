/** Shows validation errors at the field and in our words, not in the browser's bubble. */
import { fields } from "../i18n/en/fields.ts";
import { number, textsOf } from "../i18n/mod.ts";

const { t } = textsOf(fields);

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

const isControl = (target: EventTarget | null): target is Control =>
  target instanceof HTMLInputElement || target instanceof HTMLSelectElement ||
  target instanceof HTMLTextAreaElement;

/** The part of a control that {@link validityText} looks at. */
export interface Checked {
  readonly type: string;
  readonly validity: Partial<Record<keyof ValidityState, boolean>>;
  readonly min?: string;
  readonly max?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** Message for a control that the browser reports as invalid. */
export function validityText({ type, validity, min, max, minLength, maxLength }: Checked): string {
  if (validity.valueMissing) {
    if (type === "checkbox") return t("fields.tick");
    return t(type === "radio" || type.startsWith("select") ? "fields.choose" : "fields.missing");
  }
  if (validity.tooShort) return t("fields.too_short", { min: number(minLength ?? 0) });
  if (validity.tooLong) return t("fields.too_long", { max: number(maxLength ?? 0) });
  if (validity.badInput && type === "number") return t("fields.number");
  if (validity.rangeUnderflow) return t("fields.too_small", { min: min ?? "" });
  if (validity.rangeOverflow) return t("fields.too_large", { max: max ?? "" });
  if (validity.stepMismatch && type === "number") return t("fields.step");
  if (validity.typeMismatch && type === "email") return t("fields.email");
  if (validity.typeMismatch && type === "url") return t("fields.url");
  return t("fields.format");
}

/** Puts the text below the control, until something else is typed. */
function showAt(control: Control, field: Element): void {
  if (field.querySelector(".form-error") !== null) return; // it says why already
  const error = document.createElement("p");
  error.className = "form-error";
  error.id = `${control.id}-validity`;
  error.textContent = validityText(control);
  const described = control.getAttribute("aria-describedby");
  control.setAttribute("aria-invalid", "true");
  control.setAttribute("aria-describedby", described === null ? error.id : `${described} ${error.id}`);
  field.append(error);
  const clear = () => {
    error.remove();
    control.removeAttribute("aria-invalid");
    if (described === null) control.removeAttribute("aria-describedby");
    else control.setAttribute("aria-describedby", described);
    control.removeEventListener("input", clear);
    control.removeEventListener("change", clear);
  };
  control.addEventListener("input", clear);
  control.addEventListener("change", clear);
}

/** The form whose first invalid field has the focus, while the browser still reports the others. */
let focused: HTMLFormElement | null = null;

function onInvalid(event: Event): void {
  const control = event.target;
  if (!isControl(control)) return;
  const field = control.closest(".form-field");
  if (field === null) return; // nowhere to say it: the browser does
  event.preventDefault();
  showAt(control, field);
  if (focused !== null && focused === control.form) return;
  focused = control.form;
  setTimeout(() => focused = null); // microtasks run between the events of one form
  const folded = control.closest("details");
  if (folded) folded.open = true;
  control.focus();
}

/** Takes the words from the browser, for every form of the page. May be asked for more than once. */
export function showValidityAtFields(): void {
  document.addEventListener("invalid", onInvalid, { capture: true });
}
