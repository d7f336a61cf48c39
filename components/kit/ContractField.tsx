/** Fields of forms, drawn by what the contract says of them and called by the texts that have their names. */
import type { ComponentChildren } from "preact";
import type { CommandName, Input } from "../../lib/contract/mod.ts";
import type { CommandFields, FieldPath, FieldSpec } from "../../lib/text/command_fields.ts";
import type { FieldTexts } from "../../lib/text/field_texts.ts";
import { type FieldUnit, inUnit, unitOf } from "../../lib/text/field_units.ts";
import { nameBefore, nameOfField } from "../../lib/text/form_names.ts";
import { fields as texts } from "../../lib/i18n/en/fields.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { CheckField, type FieldChoice, SelectField, TextField } from "./Field.tsx";

const { t } = textsOf(texts);

/** Words of a choice that leave it to QEMU, libvirt or the host. */
const DEFAULT = "default";

/** A form that is one command, as its fields are given it. */
export interface ContractForm<C extends CommandName> {
  of: CommandFields<C>;
  texts: FieldTexts;
  /** Error of a field, by its path. */
  errorOf?: (path: string) => string | undefined;
}

/** Properties of a field that its form decides. */
export interface ContractFieldProps {
  /** Initial value. */
  value?: string | number | boolean | undefined;
  /** Stored value, if the initial one differs. */
  before?: string;
  /** It is sent only where it was changed. */
  isChange?: boolean;
  /** The part of the form that it is in. */
  part?: string;
  label?: string;
  hint?: ComponentChildren;
  /** Choices, if they are more than words of the contract. */
  choices?: readonly FieldChoice[];
  /** Label of the empty choice. */
  none?: string;
  /** Takes a whole row of the form. */
  wide?: boolean;
  placeholder?: string;
  autoFocus?: boolean;
  disabled?: boolean;
  /** Another field of the form can say it. */
  isOptional?: boolean;
  /** The form needs it, although the command has other ways. */
  isNeeded?: boolean;
  type?: "url";
}

/** The text that a field begins with. */
function textOf(
  { choices, empty }: FieldSpec,
  unit: FieldUnit | undefined,
  value: ContractFieldProps["value"],
): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number" && unit !== undefined) return value === empty ? "" : inUnit(value, unit);
  return String(value ?? (choices?.includes(DEFAULT) ? DEFAULT : ""));
}

/** The choices of a field; one that it has and the contract does not know is kept. */
function choicesOf(
  { choices = [], isRequired, default: usual }: FieldSpec,
  text: string,
  none: string | undefined,
  wordOf: (word: string) => string,
): FieldChoice[] {
  const isEmpty = !isRequired && usual === undefined && !choices.includes(DEFAULT);
  const words = text === "" || choices.includes(text) ? choices : [text, ...choices];
  return [
    ...(isEmpty ? [{ value: "", label: none ?? t("fields.automatic") }] : []),
    ...words.map((value) => ({ value, label: value === DEFAULT ? t("fields.default") : wordOf(value) })),
  ];
}

/** The control of a field. */
function Control<C extends CommandName>(
  { form: { of, texts, errorOf }, field, ...props }: ContractFieldProps & {
    form: ContractForm<C>;
    field: FieldPath<Input<C>>;
  },
) {
  const spec = of.fields[field], { command } = of, { part = "", choices, none, value, isChange } = props;
  const unit = unitOf(field, spec.kind),
    text = textOf(spec, unit, value),
    { placeholder, autoFocus, disabled } = props;
  const name = nameOfField(field, { part, unit: unit?.typed ?? "" });
  const hint = props.hint ?? texts.hint(field, command), wide = props.wide ?? spec.kind === "boolean";
  const frame = {
    label: props.label ?? texts.label(field, command),
    ...(hint !== undefined && { hint }),
    error: errorOf?.(field),
    wide,
  };
  if (spec.kind === "boolean") {
    return (
      <>
        {/* A box that is not ticked is not sent. */}
        {(isChange || spec.default === true) && <input type="hidden" name={name} value="no" />}
        <CheckField {...frame} name={name} value="yes" defaultChecked={text === "yes"} disabled={disabled} />
      </>
    );
  }
  if (choices !== undefined || spec.choices !== undefined && spec.kind === "string") {
    const wordOf = (word: string) => texts.word(field, word, command);
    return (
      <SelectField
        {...frame}
        name={name}
        value={text}
        disabled={disabled}
        choices={choices ?? choicesOf(spec, text, none, wordOf)}
      />
    );
  }
  const isNumber = spec.min !== undefined || spec.max !== undefined || unit !== undefined;
  const isWhole = spec.isWhole && (unit?.size ?? 1) === 1;
  return (
    <TextField
      {...frame}
      {...(unit !== undefined && { suffix: unit.label })}
      {...(placeholder !== undefined && { placeholder })}
      {...(spec.pattern !== undefined && { pattern: spec.pattern })}
      {...(spec.maxLength !== undefined && { maxLength: spec.maxLength })}
      {...(isNumber && {
        type: "number",
        min: spec.min,
        // A bound in another unit is the server's to tell.
        max: isWhole ? spec.max : undefined,
        step: isWhole ? 1 : "any",
        inputMode: isWhole ? "numeric" : "decimal",
      })}
      {...(spec.isSecret && { type: "password" })}
      {...(props.type !== undefined && { type: props.type })}
      name={name}
      defaultValue={text}
      required={props.isNeeded || spec.isRequired && part === "" && !props.isOptional}
      autoFocus={autoFocus}
      disabled={disabled}
    />
  );
}

/** A field of a command, with what it was where only a change of it is sent. */
export function ContractField<C extends CommandName>(
  { isChange, before, ...props }: ContractFieldProps & { form: ContractForm<C>; field: FieldPath<Input<C>> },
) {
  const { of } = props.form, spec = of.fields[props.field];
  // Left as it is, such a field would say something.
  const isKept = isChange || spec.empty !== undefined || spec.kind === "strings";
  return (
    <>
      <Control {...props} isChange={isChange ?? false} />
      {isKept && (
        <input
          type="hidden"
          name={nameBefore(props.field)}
          value={before ?? textOf(spec, unitOf(props.field, spec.kind), props.value)}
        />
      )}
    </>
  );
}

/** Several fields of a command, in the order that the contract names them in, with the values of what they are about. */
export function ContractFields<C extends CommandName>({ form, fields, values = {}, ...props }: {
  form: ContractForm<C>;
  fields: readonly FieldPath<Input<C>>[];
  values?: Readonly<Record<string, unknown>>;
} & Pick<ContractFieldProps, "isChange" | "part">) {
  return (
    <>
      {fields.map((field) => (
        <ContractField
          key={field}
          form={form}
          field={field}
          value={values[field] as ContractFieldProps["value"]}
          {...props}
        />
      ))}
    </>
  );
}
