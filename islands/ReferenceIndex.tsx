import { useSignal } from "@preact/signals";
import { clearOnEscape } from "../components/kit/clear_on_escape.ts";
import { reference as referenceTexts } from "../lib/i18n/en/reference.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t, plural } = textsOf(referenceTexts);

/** An entry of the side list. Some hundred are on each page: without names of fields it is 5 KB shorter. */
export type ReferenceEntry = readonly [name: string, summary: string];

/** Props of {@link ReferenceIndex}. */
export interface ReferenceIndexProps {
  entries: readonly ReferenceEntry[];
  /** The entry that the page shows. */
  current: string;
}

/** The side list of the API's reference: each entry a page, and a filter over all of them. */
export default function ReferenceIndex({ entries, current }: ReferenceIndexProps) {
  const typed = useSignal("");
  const words = typed.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const found = entries.filter(([name, summary]) =>
    words.every((word) => name.includes(word) || summary.toLowerCase().includes(word))
  );
  return (
    <nav class="reference-index" aria-label={t("reference.commands")}>
      <input
        class="input needs-script"
        type="search"
        aria-label={t("reference.filter")}
        placeholder={t("reference.filter")}
        value={typed.value}
        onInput={({ currentTarget }) => typed.value = currentTarget.value}
        onKeyDown={clearOnEscape(typed.value, () => typed.value = "")}
      />
      <p class="visually-hidden" role="status">{plural("reference.found", found.length)}</p>
      <ul>
        {found.map(([name]) => (
          <li key={name}>
            <a
              // Relative, and without its summary: some hundred entries are on each page
              href={`?command=${name}`}
              aria-current={name === current ? "page" : undefined}
            >
              {name}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
