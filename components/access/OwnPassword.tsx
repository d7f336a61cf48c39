import ConfirmPasskey from "../../islands/ConfirmPasskey.tsx";
import { OWN_PASSWORD } from "../../lib/access/forms.ts";
import { access } from "../../lib/i18n/en/access.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import type { PageUser } from "../../lib/page_state.ts";
import { TextField } from "../kit/Field.tsx";

const { t } = textsOf(access);

/** Props of {@link OwnPassword}. */
export interface OwnPasswordProps {
  user: PageUser | null;
  /** One that was typed was refused with its form. */
  again?: boolean;
  /** A part of the form alone needs it: what it says then. */
  optional?: string;
}

/**
 * Fields with which users prove their identity within a form that changes access: its values are not lost on a way to
 * another page. Nothing if they have just done so.
 */
export function OwnPassword({ user, again = false, optional }: OwnPasswordProps) {
  if (user === null || user.confirmed) return null;
  return (
    <>
      {user.hasPassword && (
        <TextField
          label={t("access.own_password")}
          hint={optional ?? t("access.own_password_hint")}
          name={OWN_PASSWORD}
          type="password"
          autocomplete="current-password"
          required={optional === undefined}
          maxLength={1024}
          again={again}
        />
      )}
      {user.hasPasskeys && <ConfirmPasskey />}
    </>
  );
}
