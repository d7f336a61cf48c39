import { ROLES } from "../../lib/contract/command.ts";
import { hosts as texts } from "../../lib/i18n/en/hosts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { SelectField } from "../kit/Field.tsx";

const { t } = textsOf(texts);

/** The most that users of another KVM Manager may do; an administrator where nothing was chosen. */
export function RoleField(
  { label, hint = t("hosts.role_hint"), value }: { label: string; hint?: string; value: string | undefined },
) {
  return (
    <SelectField
      label={label}
      name="role"
      hint={hint}
      choices={ROLES.toReversed().map((role) => ({ value: role, label: role }))}
      value={value ?? "administrator"}
    />
  );
}
