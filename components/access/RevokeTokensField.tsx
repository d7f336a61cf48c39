import { access } from "../../lib/i18n/en/access.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { CheckField } from "../kit/Field.tsx";

const { t } = textsOf(access);

/** Whether a new password ends the account's API tokens as well: it does unless somebody says otherwise. */
export function RevokeTokensField() {
  return (
    <>
      <input type="hidden" name="revokeTokens" value="no" />
      <CheckField
        label={t("access.revoke_tokens")}
        hint={t("access.revoke_tokens_hint")}
        name="revokeTokens"
        value="yes"
        checked
        wide
      />
    </>
  );
}
