import type { ComponentChildren } from "preact";
import { access } from "../../lib/i18n/en/access.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { TextField } from "../kit/Field.tsx";

const { t } = textsOf(access);

/** Props of {@link CurrentPasswordField}. */
export interface CurrentPasswordFieldProps {
  label: string;
  name?: string;
  autofocus?: boolean;
  /** They have shown just now that it is them: it may be left empty. */
  confirmed?: boolean;
  /** Alternative to a password. */
  instead?: ComponentChildren;
  /** One that was typed was refused with its form. */
  again?: boolean;
  /** A control behind it that belongs to it. */
  after?: ComponentChildren;
}

/** Field for the present password, which proves the user's identity. */
export function CurrentPasswordField(
  { label, name = "password", autofocus, confirmed = false, instead, again = false, after }:
    CurrentPasswordFieldProps,
) {
  return (
    <>
      <TextField
        label={label}
        name={name}
        type="password"
        autocomplete="current-password"
        required={!confirmed}
        hint={confirmed ? t("access.confirm_not_needed") : undefined}
        maxLength={1024}
        autofocus={autofocus}
        again={again}
        after={after}
      />
      {!confirmed && instead}
    </>
  );
}
