import ShowPassword from "../../islands/ShowPassword.tsx";
import { access } from "../../lib/i18n/en/access.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { TextField } from "../kit/Field.tsx";

const { t } = textsOf(access);

/** Field for a new password, named `password`; the server checks its bounds. */
export function NewPasswordField(
  { label, required = false, minLength, again = false }: {
    label: string;
    required?: boolean;
    minLength?: number;
    /** One that was typed was refused with its form. */
    again?: boolean;
  },
) {
  return (
    <TextField
      label={label}
      hint={t("access.password_hint")}
      name="password"
      type="password"
      autocomplete="new-password"
      required={required}
      minLength={minLength}
      maxLength={256}
      again={again}
      after={<ShowPassword />}
    />
  );
}
