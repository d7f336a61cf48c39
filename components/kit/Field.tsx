import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";
import { fields } from "../../lib/i18n/en/fields.ts";
import { textsOf } from "../../lib/i18n/mod.ts";

const { t } = textsOf(fields);

/** Frame around the control of every field. */
export interface FieldFrame {
  label: string;
  /** Explanation, if the label is not enough. */
  hint?: ComponentChildren;
  /** Why its value cannot be taken. */
  error?: string | undefined;
  /** Takes a whole row of the form. */
  wide?: boolean;
}

/** Attributes that tie a control to its field's label, hint and error. */
interface Ties {
  id: string;
  "aria-describedby"?: string;
  "aria-invalid"?: "true";
}

/** A control with its label above, its hint below, and what is wrong with it. */
export function Field({ label, hint, error, wide = false, control }: FieldFrame & {
  control: (ties: Ties) => ComponentChildren;
}) {
  const id = useId();
  const described = [hint !== undefined && `${id}-hint`, error !== undefined && `${id}-error`].filter(
    Boolean,
  );
  return (
    <div class={wide ? "form-field wide" : "form-field"}>
      <label for={id}>{label}</label>
      {control({
        id,
        ...(described.length > 0 && { "aria-describedby": described.join(" ") }),
        ...(error !== undefined && { "aria-invalid": "true" }),
      })}
      {hint !== undefined && <p class="form-hint" id={`${id}-hint`}>{hint}</p>}
      {error !== undefined && <p class="form-error" id={`${id}-error`}>{error}</p>}
    </div>
  );
}

/** A field for a line of text, or for a number with `type="number"`. */
export function TextField(
  { label, hint, error, again = false, wide = false, suffix, after, ...input }:
    & FieldFrame
    & Omit<JSX.InputHTMLAttributes<HTMLInputElement>, "label">
    & {
      /** Unit shown behind the value. */
      suffix?: string | undefined;
      /** A control behind it that belongs to it. */
      after?: ComponentChildren;
      /** The value typed before was refused with its form, and is not given back: a password. */
      again?: boolean;
    },
) {
  return (
    <Field
      label={label}
      hint={hint}
      error={error ?? (again ? t("fields.again") : undefined)}
      wide={wide}
      control={(ties) => (
        <span class="form-control">
          <input class="input" autocomplete="off" spellcheck={false} {...input} {...ties} />
          {suffix !== undefined && <span class="form-suffix" aria-hidden="true">{suffix}</span>}
          {after}
        </span>
      )}
    />
  );
}

/** A choice of a list. */
export interface FieldChoice {
  readonly value: string;
  readonly label: string;
  /** Why it cannot be chosen here; shown next to it. */
  readonly unavailable?: string | undefined;
}

/** A field that takes one of a list. What this host cannot do is listed, with the reason, and cannot be chosen. */
export function SelectField(
  { label, hint, error, wide = false, choices, value, ...select }:
    & FieldFrame
    & Omit<JSX.SelectHTMLAttributes<HTMLSelectElement>, "label" | "value">
    & { choices: readonly FieldChoice[]; value: string },
) {
  return (
    <Field
      label={label}
      hint={hint}
      error={error}
      wide={wide}
      control={(ties) => (
        <select class="input" {...select} {...ties}>
          {choices.map((choice) => (
            <option
              key={choice.value}
              value={choice.value}
              selected={choice.value === value}
              disabled={choice.unavailable !== undefined}
            >
              {choice.unavailable === undefined ? choice.label : `${choice.label} – ${choice.unavailable}`}
            </option>
          ))}
        </select>
      )}
    />
  );
}

/** A box to tick, with its label behind it. */
export function CheckField(
  { label, hint, error, wide = false, ...input }:
    & FieldFrame
    & Omit<JSX.InputHTMLAttributes<HTMLInputElement>, "label" | "type">,
) {
  const id = useId();
  return (
    <div class={wide ? "form-field wide" : "form-field"}>
      <label class="check">
        <input
          type="checkbox"
          {...input}
          {...(hint !== undefined && { "aria-describedby": `${id}-hint` })}
        />
        <span>{label}</span>
      </label>
      {hint !== undefined && <p class="form-hint" id={`${id}-hint`}>{hint}</p>}
      {error !== undefined && <p class="form-error">{error}</p>}
    </div>
  );
}
