import type { HostStatus } from "../../lib/contract/mod.ts";
import { search as texts } from "../../lib/i18n/en/search.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import { SelectField } from "../kit/Field.tsx";

const { t } = textsOf(texts);

/** The choice of a host whose rows are wanted; nothing where there is one. */
export function HostSelect({ hosts, value }: { hosts: readonly HostStatus[]; value: string | undefined }) {
  if (hosts.length < 2) return null;
  return (
    <SelectField
      label={t("search.host")}
      name="host"
      value={value ?? ""}
      choices={[
        { value: "", label: t("search.all_hosts") },
        ...hosts.map(({ id, label }) => ({ value: id, label: oneLine(label, 60) })),
      ]}
    />
  );
}
