import { devices as texts } from "../../../lib/i18n/en/devices.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { SelectField } from "../../kit/Field.tsx";

const { t } = textsOf(texts);

/** When a change is made: the fields that say so. */
export function WhereField({ running, persistent }: { running: boolean; persistent: boolean }) {
  if (!running || !persistent) return null;
  return (
    <SelectField
      label={t("devices.field_where")}
      name=":where"
      value=""
      choices={[
        { value: "", label: t("devices.where_both") },
        { value: "persistent=no", label: t("devices.where_live") },
        { value: "live=no", label: t("devices.where_next") },
      ]}
    />
  );
}
