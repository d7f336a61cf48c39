import type { ComponentChildren } from "preact";
import { PREFIX } from "../../../lib/vm/cloud_init/form_data.ts";
import { CheckField, Field, TextField } from "../../kit/Field.tsx";

/** Error of a form: the field's path, and the rest of the sentence about it. */
export interface FormFault {
  readonly field: string;
  readonly message: string;
}

/** Props of all fields of the form. */
export interface FieldProps {
  /** Path of what it is about: the name of the field. */
  at: string;
  label: string;
  hint?: ComponentChildren;
  fault?: FormFault | undefined;
  wide?: boolean;
}

/** The fault where it is this field's, or one of a line in it. */
export function faultAt({ at, fault }: Pick<FieldProps, "at" | "fault">): string | undefined {
  return fault !== undefined && (fault.field === at || fault.field.startsWith(`${at}.`))
    ? fault.message
    : undefined;
}

/** Attributes for the frame of a field. */
function frame({ label, hint, wide = false, ...rest }: FieldProps) {
  return { label, wide, error: faultAt(rest), ...(hint !== undefined && { hint }) };
}

/** A line of text. */
export function CloudInitLine(
  props: FieldProps & { value?: string | undefined; type?: string; placeholder?: string; again?: boolean },
) {
  const { at, value, type = "text", placeholder, again = false } = props;
  return (
    <TextField
      {...frame(props)}
      name={PREFIX + at}
      type={type}
      again={again}
      defaultValue={value ?? ""}
      {...(type === "password" && { autocomplete: "new-password" })}
      {...(placeholder !== undefined && { placeholder })}
    />
  );
}

/** A text of several lines. */
export function Lines(
  props: FieldProps & { value?: readonly string[] | string | undefined; rows?: number; placeholder?: string },
) {
  const { at, value = "", rows = 3, placeholder } = props;
  return (
    <Field
      {...frame(props)}
      control={(ties) => (
        <textarea
          class="input text-area"
          name={PREFIX + at}
          rows={rows}
          wrap="off"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          defaultValue={typeof value === "string" ? value : value.join("\n")}
          placeholder={placeholder}
          {...ties}
        />
      )}
    />
  );
}

/** A box to tick. */
export function Tick(props: FieldProps & { ticked?: boolean | undefined }) {
  const { at, ticked = false } = props;
  return <CheckField {...frame(props)} name={PREFIX + at} value="yes" defaultChecked={ticked} />;
}

/** One of two or three words, all to be seen. */
export function ChoiceField({ at, legend, value, choices }: {
  at: string;
  legend: string;
  value: string;
  choices: readonly { readonly value: string; readonly label: string }[];
}) {
  return (
    <fieldset class="choice">
      <legend>{legend}</legend>
      {choices.map((choice) => (
        <label key={choice.value} class="check">
          <input
            type="radio"
            name={PREFIX + at}
            value={choice.value}
            defaultChecked={choice.value === value}
          />
          <span>{choice.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
