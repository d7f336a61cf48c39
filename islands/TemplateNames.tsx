import { useSignal } from "@preact/signals";
import { TextField } from "../components/kit/Field.tsx";
import { MOST_NEW_VMS } from "../lib/contract/template_bounds.ts";
import { shortened, vmNames } from "../lib/template/names.ts";
import { templates } from "../lib/i18n/en/templates.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(templates);

/** Props of {@link TemplateNames}. */
export interface TemplateNamesProps {
  name: string;
  count: string;
  first: string;
  /** Why the name was refused. */
  error?: string;
}

/** A number that somebody types, within bounds. */
const numberIn = (text: string, least: number, most: number) =>
  Math.min(most, Math.max(least, Math.trunc(Number(text)) || least));

/** The names as they would be, in short. */
function preview(name: string, count: string, first: string): string {
  const names = vmNames({
    name,
    count: numberIn(count, 1, MOST_NEW_VMS),
    first: numberIn(first, 0, 999_999),
  });
  const { first: begin, last } = shortened(names);
  const listed = begin.join(", ");
  return last === undefined ? listed : t("templates.names_between", { first: listed, last });
}

/** Name and number of new VMs, with what they will be called. Plain fields without script. */
export default function TemplateNames(props: TemplateNamesProps) {
  const name = useSignal(props.name), count = useSignal(props.count), first = useSignal(props.first);
  return (
    <>
      <TextField
        label={t("templates.create_name")}
        hint={t("templates.create_name_hint")}
        error={props.error}
        name="name"
        required
        maxLength={64}
        value={name.value}
        onInput={(event) => name.value = event.currentTarget.value}
      />
      <TextField
        label={t("templates.count")}
        name="count"
        type="number"
        min={1}
        max={MOST_NEW_VMS}
        required
        value={count.value}
        onInput={(event) => count.value = event.currentTarget.value}
      />
      <TextField
        label={t("templates.first")}
        name="first"
        type="number"
        min={0}
        max={999_999}
        value={first.value}
        onInput={(event) => first.value = event.currentTarget.value}
      />
      <p class="template-names wide" role="status">
        {t("templates.names", { names: preview(name.value, count.value, first.value) })}
      </p>
    </>
  );
}
