import type { Network, NetworkChoices } from "../../lib/contract/mod.ts";
import { replication as texts } from "../../lib/i18n/en/replication.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import { SelectField } from "../kit/Field.tsx";

const { t } = textsOf(texts);

/** A choice for each network of a VM, of those that the other host has: rows of the field `networks`. */
export function NetworkRows({ own, there, host, chosen = [], typed = {} }: {
  /** Networks of the VM's cards. */
  own: readonly string[];
  /** Those of the other host; null where it does not answer: nothing can be chosen then. */
  there: readonly Network[] | null;
  /** Name of that host. */
  host: string;
  chosen?: NetworkChoices;
  typed?: Readonly<Record<string, string>>;
}) {
  if (there === null) {
    return own.length === 0 ? null : <p class="text-muted">{t("replication.networks_unknown", { host })}</p>;
  }
  return (
    <>
      {own.map((from, index) => {
        const name = `networks.${index}.to`, isThere = there.some((each) => each.name === from);
        const same = isThere ? "replication.network_same" : "replication.network_missing";
        return (
          <div key={from}>
            <input type="hidden" name={`networks.${index}.from`} value={from} />
            <SelectField
              name={name}
              label={t("replication.network_of", { network: oneLine(from, 40), host })}
              value={typed[name] ?? chosen.find((each) => each.from === from)?.to ?? from}
              choices={[
                { value: from, label: t(same, { network: oneLine(from, 40) }) },
                ...there.filter((each) => each.name !== from).map(({ name: value, active }) => ({
                  value,
                  label: active
                    ? oneLine(value, 40)
                    : t("replication.network_off", { network: oneLine(value, 40) }),
                })),
              ]}
            />
          </div>
        );
      })}
    </>
  );
}
